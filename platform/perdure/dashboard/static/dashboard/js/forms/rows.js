/** Rows of a form's lists, added and removed without asking the server; a list too deep to copy asks it. */

/** Django takes 1,000 values of a form. */
const MOST_VALUES = 950;

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-add-row], [data-remove-row]");
  if (!button) return;
  const done = button.matches("[data-add-row]") ? addRow(button) : removeRow(button);
  if (done) event.preventDefault();
});

document.addEventListener("paste", (event) => {
  const input = event.target;
  const row = input.matches?.("input:not([type=file])") && input.closest("[data-row]");
  const lines = event.clipboardData?.getData("text").split(/\r?\n/).filter((line) => line.trim()) ?? [];
  if (!row || lines.length < 2 || row.querySelectorAll("input:not([type=hidden]), textarea, select").length !== 1) return;
  event.preventDefault();
  pasteLines(input, row, lines);
});

/** @param {HTMLElement} button @returns {boolean} */
function addRow(button) {
  const list = button.closest("[data-rows]");
  const row = newRow(list);
  if (!row) return false;
  list.querySelector(":scope > [data-rows-list]").append(row);
  firstField(row)?.focus();
  changed(list);
  return true;
}

/** @returns {Element | null} */
function newRow(list) {
  const blank = list.querySelector(":scope > [data-row-blank]");
  if (!blank || list.closest("form").elements.length > MOST_VALUES) return null;
  const next = list.querySelector(":scope > [data-next-id]");
  const made = document.createElement("template");
  made.innerHTML = blank.innerHTML.replaceAll(list.dataset.rows, next.value);
  next.value = String(Number(next.value) + 1);
  return made.content.firstElementChild;
}

/** @param {HTMLElement} button @returns {boolean} */
function removeRow(button) {
  const row = button.closest("[data-row]");
  const list = button.closest("[data-rows]");
  const near = row.nextElementSibling ?? row.previousElementSibling;
  row.remove();
  (near?.querySelector("[data-remove-row]") ?? list.querySelector(":scope > div > [data-add-row]")).focus();
  changed(list);
  return true;
}

/** A text of several lines that is pasted into a list of texts becomes rows. */
function pasteLines(input, row, lines) {
  const list = row.closest("[data-rows]");
  input.value = lines[0];
  let last = row;
  for (const line of lines.slice(1)) {
    const made = newRow(list);
    if (!made) break;
    last.after(made);
    firstField(made).value = line;
    last = made;
  }
  firstField(last)?.focus();
  changed(list);
}

function firstField(row) {
  return row.querySelector("input:not([type=hidden]), textarea, select");
}

function changed(list) {
  list.dispatchEvent(new Event("change", { bubbles: true }));
}
