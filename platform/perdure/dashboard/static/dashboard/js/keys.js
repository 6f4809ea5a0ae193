/**
 * Shortcuts: `shortcut("j", "Next run", action)`. They never act in a field, `?` shows them all, and that list has the
 * switch that turns them off (WCAG 2.1.4: who speaks to a computer types letters by accident).
 */

const OFF = "perdure-keys-off";
const WAIT = 1200;
/** @type {Map<string, {label: string, action: (event: KeyboardEvent) => void}>} */
const known = new Map();
let begun = "";
let timer = 0;

/**
 * @param {string} key a key (`j`, `Enter`, `/`) or two after each other (`g h`)
 * @param {string} label what it does, for the list
 * @param {(event: KeyboardEvent) => void} action
 */
export function shortcut(key, label, action) {
  known.set(key, { label, action });
}

function keysAreOn() {
  try {
    return localStorage.getItem(OFF) === null;
  } catch {
    return true;
  }
}

function isField(target) {
  return target instanceof Element && Boolean(target.closest("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable=true]"));
}

function isTaken(event) {
  return event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing || isField(event.target);
}

document.addEventListener("keydown", (event) => {
  if (isTaken(event) || document.querySelector("dialog[open]")) return;
  const key = begun ? `${begun} ${event.key}` : event.key;
  begun = "";
  clearTimeout(timer);
  if (event.key === "?") return open(event);
  if (!keysAreOn()) return;
  const found = known.get(key) ?? known.get(event.key);
  // Enter and Space belong to the link or button that has the focus.
  if (found && !((event.key === "Enter" || event.key === " ") && event.target.closest?.("a, button, summary"))) {
    event.preventDefault();
    found.action(event);
  } else if ([...known.keys()].some((name) => name.startsWith(`${event.key} `))) {
    begun = event.key;
    timer = setTimeout(() => { begun = ""; }, WAIT);
  }
});

const list = document.createElement("dialog");
list.id = "keys";
list.setAttribute("aria-labelledby", "keys-title");

function open(event) {
  event.preventDefault();
  const rows = [...known].map(([key, { label }]) => row(key, label));
  list.replaceChildren(title(), rows.length ? listOf([...rows, row("?", "Show these keys")]) : "", off(), buttons());
  if (!list.isConnected) document.body.append(list);
  list.showModal();
}

function title() {
  return make("h2", { id: "keys-title", textContent: "Keys" });
}

function listOf(rows) {
  const keys = make("ul", { className: "keys" });
  keys.append(...rows);
  return keys;
}

function row(key, label) {
  const item = make("li", {});
  const shown = make("span", {});
  for (const part of key.split(" ")) shown.append(make("kbd", { textContent: part }), " ");
  item.append(make("span", { textContent: label }), shown);
  return item;
}

function off() {
  const label = make("label", { className: "row" });
  const box = make("input", { type: "checkbox", checked: keysAreOn() });
  box.addEventListener("change", () => {
    if (box.checked) localStorage.removeItem(OFF);
    else localStorage.setItem(OFF, "yes");
  });
  label.append(box, "Use these keys");
  return label;
}

function buttons() {
  const actions = make("div", { className: "actions end" });
  const close = make("button", { type: "button", textContent: "Close" });
  close.dataset.close = "";
  actions.append(close);
  return actions;
}

function make(tag, properties) {
  return Object.assign(document.createElement(tag), properties);
}

for (const link of document.querySelectorAll("a[data-shortcut]")) {
  const name = link.querySelector("span")?.textContent ?? link.textContent.trim();
  shortcut(link.dataset.shortcut, `Go to ${name}`, () => link.click());
}

const search = () => document.querySelector("main [data-search], main input[type=search]:not([data-json-search])");
if (search()) {
  shortcut("/", "Search", () => search()?.focus());
}
for (const button of document.querySelectorAll("[data-show-keys]")) button.addEventListener("click", open);
