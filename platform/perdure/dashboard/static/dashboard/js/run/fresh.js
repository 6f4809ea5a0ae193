/** Puts parts that the server has drawn anew in place; what the reader has opened, scrolled or is writing stays. */

import { isTouched } from "../parts.js";

/** @param {Document} fresh the page as read again */
export function replaceParts(fresh) {
  for (const part of document.querySelectorAll("[data-part]")) {
    const next = fresh.querySelector(`[data-part="${CSS.escape(part.dataset.part)}"]`);
    if (next && !isTouched(part)) replace(part, next);
  }
}

function replace(part, next) {
  const links = part.querySelector(".tab-bar")?.scrollLeft;
  const kept = [...part.querySelectorAll("[data-keep]")].map((one) => ({ name: one.dataset.keep, open: one.open, top: one.scrollTop, left: one.scrollLeft }));
  const held = part.contains(document.activeElement) ? document.activeElement : null;
  const focused = held?.closest("[data-keep]")?.dataset.keep;
  const tab = held?.closest("[data-tab]")?.dataset.tab;
  part.replaceChildren(...next.childNodes);
  if (links) part.querySelector(".tab-bar").scrollLeft = links;
  if (tab) part.querySelector(`[data-tab="${CSS.escape(tab)}"]`)?.focus({ preventScroll: true });
  for (const { name, open, top, left } of kept) {
    const one = part.querySelector(`[data-keep="${CSS.escape(name)}"]`);
    if (!one) continue;
    if (open) one.open = true;
    one.scrollTop = top;
    one.scrollLeft = left;
    if (name === focused) (one.querySelector("summary") ?? one).focus({ preventScroll: true });
  }
}
