/** The parts of a page that are read again from the server, which draws them: `[data-part]` inside an area. */

import { tick } from "./page.js";

/** What scripts write to a time. */
const SHOWN = ["title", "tabindex", "aria-label", "aria-describedby"];

/**
 * Reads the page where it stands and puts its parts in place, but those that say the same and those in which somebody
 * writes. A part with a `data-version` says the same as long as that does.
 */
export async function readParts(area) {
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
    if (!answer.ok || answer.redirected) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const part of area.querySelectorAll("[data-part]")) {
      const next = fresh.querySelector(`[data-part="${part.dataset.part}"]`);
      if (next && !saysTheSame(part, next) && !isTouched(part)) morph(part, next);
    }
    tick(area);
  } catch {
    // The next change or poll reads again.
  }
}

function saysTheSame(part, next) {
  if (part.dataset.version !== next.dataset.version) return false;
  return part.dataset.version !== undefined || comparable(part) === comparable(next);
}

/** An answer that somebody is writing is not taken away by what happens meanwhile. */
export function isTouched(part) {
  return [...part.querySelectorAll("[data-answer] input, [data-answer] textarea, [data-answer] select")].some((field) => {
    if (field === document.activeElement) return true;
    if (field.type === "radio" || field.type === "checkbox") return field.checked !== field.defaultChecked;
    return field.type !== "hidden" && field.defaultValue !== undefined && field.value !== field.defaultValue;
  });
}

/** Rows keep their elements, so that focus and a pressed link stay where they are. */
function morph(part, next) {
  const focused = document.activeElement?.closest?.("[data-key]")?.dataset.key;
  const old = new Map([...part.querySelectorAll("[data-key]")].map((row) => [row.dataset.key, row]));
  for (const row of next.querySelectorAll("[data-key]")) {
    const known = old.get(row.dataset.key);
    if (known && comparable(known) === comparable(row)) row.replaceWith(known);
  }
  part.replaceChildren(...next.childNodes);
  if (next.dataset.version === undefined) delete part.dataset.version;
  else part.dataset.version = next.dataset.version;
  if (focused && !part.contains(document.activeElement)) part.querySelector(`[data-key="${CSS.escape(focused)}"] a`)?.focus();
}

function comparable(row) {
  const copy = row.cloneNode(true);
  for (const time of copy.querySelectorAll("time, [data-since], [data-own-time]")) time.replaceChildren();
  for (const time of copy.querySelectorAll("time")) for (const name of SHOWN) time.removeAttribute(name);
  for (const fold of copy.querySelectorAll("details")) fold.open = false;
  for (const token of copy.querySelectorAll("[name=csrfmiddlewaretoken]")) token.remove();
  return copy.innerHTML;
}
