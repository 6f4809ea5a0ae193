/** Keys of the table: J and K go from run to run, X chooses one, Enter opens it. */

import { shortcut } from "../keys.js";

/** @param {Element} area */
export function listenForKeys(area) {
  shortcut("j", "Next run", () => go(area, 1));
  shortcut("k", "Previous run", () => go(area, -1));
  shortcut("x", "Choose the run, or not", () => toggle(area));
  shortcut("Enter", "Open the run", () => current()?.querySelector("a.job")?.click());
}

function current() {
  return document.activeElement?.closest?.("tbody tr[data-key]") ?? null;
}

function go(area, by) {
  const rows = [...area.querySelectorAll("tbody tr[data-key]")];
  const place = rows.indexOf(current());
  const next = rows[place < 0 ? (by > 0 ? 0 : rows.length - 1) : Math.min(Math.max(place + by, 0), rows.length - 1)];
  next?.querySelector("a.job").focus();
  next?.scrollIntoView({ block: "nearest" });
}

function toggle(area) {
  const box = current()?.querySelector("[name=run]");
  if (!box) return;
  box.checked = !box.checked;
  box.dispatchEvent(new Event("change", { bubbles: true }));
}
