/** Long texts (`[data-long-text]`): the rest is laid out piece by piece as one scrolls to it; all of it can be copied. */

import { copyText } from "./copying.js";

const PIECE = 20_000;
const NEAR = 800;
/** @type {WeakMap<Element, {whole: string, rest: string}>} */
const kept = new WeakMap();

function read(text) {
  if (!kept.has(text)) {
    const rest = JSON.parse(text.querySelector("script").textContent);
    kept.set(text, { whole: text.querySelector(".long-text-box").textContent + rest, rest });
  }
  return kept.get(text);
}

function add(box, held) {
  const { rest } = held;
  let end = rest.length <= PIECE ? rest.length : rest.lastIndexOf("\n", PIECE) + 1 || PIECE;
  // A character of two halves stays whole.
  if (end < rest.length && /[\uD800-\uDBFF]/.test(rest[end - 1])) end += 1;
  const piece = document.createElement("pre");
  piece.className = "text";
  piece.textContent = rest.slice(0, end);
  held.rest = rest.slice(end);
  box.append(piece);
}

// Listened to at the document, so that texts which arrive later need no preparation.
document.addEventListener("scroll", (event) => {
  const box = event.target;
  if (!(box instanceof Element) || !box.matches("[data-long-text] > .long-text-box")) return;
  const held = read(box.parentElement);
  if (held.rest && box.scrollTop + box.clientHeight > box.scrollHeight - NEAR) add(box, held);
}, { capture: true, passive: true });

document.addEventListener("click", (event) => {
  const button = event.target instanceof Element ? event.target.closest("[data-copy-long]") : null;
  if (button) copyText(button, read(button.closest("[data-long-text]")).whole);
});
