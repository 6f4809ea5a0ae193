/** The parts of a page that are read again from the server, which draws them: `[data-part]` inside an area. */

import { tick } from "./page.js";

/** Reads the page where it stands and puts its parts in place. */
export async function readParts(area) {
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
    if (!answer.ok || answer.redirected) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const part of area.querySelectorAll("[data-part]")) {
      const next = fresh.querySelector(`[data-part="${part.dataset.part}"]`);
      if (next) morph(part, next);
    }
    tick(area);
  } catch {
    // The next change or poll reads again.
  }
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
  if (focused && !part.contains(document.activeElement)) part.querySelector(`[data-key="${CSS.escape(focused)}"] a`)?.focus();
}

function comparable(row) {
  const copy = row.cloneNode(true);
  for (const time of copy.querySelectorAll("time, [data-since]")) time.replaceChildren();
  for (const time of copy.querySelectorAll("time")) time.removeAttribute("title");
  return copy.innerHTML;
}
