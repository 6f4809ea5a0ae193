/** Buttons that copy: `[data-copy]` its own text, `[data-copy-from]` what stands in the element of that id. */

const SHOWN = 1600;

/** Puts `text` on the clipboard and says so on the button. @param {Element} button @param {string} text */
export async function copyText(button, text) {
  const done = await write(text);
  button.dataset.done = done ? "yes" : "no";
  use(button, done ? "check" : "failed");
  say(done ? "Copied." : "The browser did not let the page copy. Select the text and copy it by hand.");
  setTimeout(() => {
    delete button.dataset.done;
    use(button, "copy");
  }, SHOWN);
}

async function write(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return writeBySelection(text);
  }
}

/** Pages that are not served over HTTPS have no clipboard of their own. */
function writeBySelection(text) {
  const area = document.createElement("textarea");
  area.value = text;
  area.className = "visually-hidden";
  const host = document.querySelector("dialog[open]") ?? document.body;
  const focused = document.activeElement;
  host.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  focused?.focus?.();
  return done;
}

function use(button, icon) {
  button.querySelector("use")?.setAttribute("href", `#icon-${icon}`);
}

const voice = document.createElement("div");
voice.className = "visually-hidden";
voice.role = "status";
document.body.append(voice);

/** Says something to those who listen to the page. @param {string} words */
export function say(words) {
  voice.textContent = "";
  requestAnimationFrame(() => {
    voice.textContent = words;
  });
}

document.addEventListener("click", (event) => {
  const button = event.target.closest?.("[data-copy], [data-copy-from]");
  if (!button) return;
  event.preventDefault();
  const from = button.dataset.copyFrom && document.getElementById(button.dataset.copyFrom);
  copyText(button, from ? ("value" in from ? from.value : from.textContent) : button.dataset.copy);
});
