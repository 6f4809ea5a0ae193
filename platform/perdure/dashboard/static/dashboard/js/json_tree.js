/** Values as trees (`[data-json-tree]`): what the server left out is drawn when it is opened; search, raw text, copying. */

import { copyText } from "./copying.js";
import { drawChildren, readSource, searchValue, spelt, valueAt } from "./json_values.js";

const FOUND = 100;
const kept = new WeakMap();

/** The text and the value of a tree, read once. */
function read(tree) {
  if (!kept.has(tree)) kept.set(tree, readSource(tree.querySelector("[data-json-source]").textContent));
  return kept.get(tree);
}

function fill(node) {
  if (!node.dataset.path || node.dataset.filled) return;
  node.dataset.filled = "yes";
  const path = JSON.parse(node.dataset.path);
  const value = valueAt(read(node.closest("[data-json-tree]")).value, path);
  const range = node.dataset.from === undefined ? null : [Number(node.dataset.from), Number(node.dataset.to)];
  node.querySelector(":scope > .json-children").append(...drawChildren(value, path, range));
}

document.addEventListener("toggle", (event) => {
  const node = event.target;
  if (node instanceof HTMLDetailsElement && node.matches(".json-node[data-path]") && node.open) fill(node);
}, true);

document.addEventListener("click", (event) => {
  const target = event.target instanceof Element ? event.target : null;
  const tree = target?.closest("[data-json-tree]");
  if (!tree) return;
  const copy = target.closest("[data-copy-json]");
  if (copy) copyText(copy, read(tree).text);
  const raw = target.closest("[data-json-raw]");
  if (raw) showRaw(tree, raw);
  const found = target.closest("[data-found]");
  if (found) reveal(tree, JSON.parse(found.dataset.found));
});

function showRaw(tree, button) {
  const raw = button.getAttribute("aria-pressed") !== "true";
  button.setAttribute("aria-pressed", String(raw));
  const text = tree.querySelector("[data-json-text]");
  if (raw && !text.textContent) text.textContent = read(tree).text;
  text.hidden = !raw;
  tree.querySelector("[data-json-root]").hidden = raw;
}

document.addEventListener("input", (event) => {
  if (event.target.matches?.("[data-json-search]")) search(event.target.closest("[data-json-tree]"), event.target.value.trim());
});

function search(tree, words) {
  const box = tree.querySelector("[data-json-found]");
  box.hidden = !words;
  if (!words) return box.replaceChildren();
  const found = searchValue(read(tree).value, words, FOUND);
  const rows = found.map(({ path, text }) => {
    const button = document.createElement("button");
    button.type = "button";
    button.dataset.found = JSON.stringify(path);
    button.textContent = `${spelt(path.join(" › "))}: ${text}`;
    return button;
  });
  const count = document.createElement("p");
  count.textContent = found.length === 0 ? "Nothing fits." : found.length === FOUND ? `The first ${FOUND} that fit:` : `${found.length} fit:`;
  box.replaceChildren(count, ...rows);
}

/** Opens everything on the way to a value and shows it. */
function reveal(tree, path) {
  const raw = tree.querySelector("[data-json-raw]");
  if (raw.getAttribute("aria-pressed") === "true") showRaw(tree, raw);
  let place = tree.querySelector("[data-json-root]");
  let node = place.firstElementChild;
  for (let depth = 0; node; depth += 1) {
    place = node;
    if (depth === path.length || !(node instanceof HTMLDetailsElement)) break;
    node.open = true;
    fill(node);
    node = childOf(node, path[depth]);
  }
  tree.querySelector("[data-here]")?.removeAttribute("data-here");
  place.dataset.here = "yes";
  place.scrollIntoView({ block: "nearest" });
  (place.querySelector("summary") ?? place).focus?.();
}

function childOf(node, key) {
  for (const child of node.querySelectorAll(":scope > .json-children > *")) {
    if (child.dataset.from !== undefined) {
      const inside = positionOf(node, key);
      if (inside < Number(child.dataset.from) || inside >= Number(child.dataset.to)) continue;
      child.open = true;
      fill(child);
      return childOf(child, key);
    }
    const name = child.querySelector(":scope > .json-key, :scope > summary > .json-key");
    if (name?.textContent === spelt(String(key))) return child;
  }
  return null;
}

function positionOf(node, key) {
  if (typeof key === "number") return key;
  const path = JSON.parse(node.dataset.path);
  return Object.keys(valueAt(read(node.closest("[data-json-tree]")).value, path)).indexOf(key);
}
