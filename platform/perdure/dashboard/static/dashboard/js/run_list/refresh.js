/** Reads the rows that the page holds once more, and puts each where it stands. */

import { tick } from "../page.js";

/**
 * @param {Element} area
 * @returns {Promise<number|null>} how many runs the page does not hold yet; null: nobody could tell
 */
export async function refresh(area) {
  try {
    const answer = await fetch(address(area), { headers: { Accept: "text/html" } });
    if (!answer.ok || answer.redirected) return null;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    putChips(area, fresh);
    putRows(area, fresh);
    tick(area);
    return Number(fresh.querySelector("[data-news]").dataset.news);
  } catch {
    return null;
  }
}

function address(area) {
  const url = new URL(area.dataset.rowsUrl, location.href);
  const rows = [...area.querySelectorAll("tbody [data-key]:not([data-gone])")].map((row) => row.dataset.key);
  for (const [name, value] of new URL(location.href).searchParams) {
    if (name !== "before" && name !== "after") url.searchParams.append(name, value);
  }
  for (const id of rows) url.searchParams.append("shown", id);
  if (area.hasAttribute("data-tells-news")) url.searchParams.set("first", rows[0] ?? "00000000-0000-0000-0000-000000000000");
  return url;
}

function putChips(area, fresh) {
  const next = fresh.querySelector("[data-part=chips]");
  const now = area.querySelector("[data-part=chips]");
  const links = next.querySelectorAll("a");
  // The links stay: one of them may have the focus.
  now.querySelectorAll("a").forEach((link, place) => {
    if (link.innerHTML !== links[place].innerHTML) link.replaceChildren(...links[place].childNodes);
    link.title = links[place].title;
  });
}

function putRows(area, fresh) {
  const next = new Map([...fresh.querySelectorAll("[data-key]")].map((row) => [row.dataset.key, row]));
  for (const row of area.querySelectorAll("tbody [data-key]:not([data-gone])")) {
    const changed = next.get(row.dataset.key);
    if (!changed) markGone(row);
    else if (plain(changed) !== plain(row)) put(row, changed);
  }
}

function put(row, changed) {
  const focused = row.contains(document.activeElement) ? document.activeElement : null;
  const box = row.querySelector("[name=run]");
  changed.querySelector("[name=run]").checked = box.checked;
  const focus = focused && (focused === box ? "[name=run]" : "a.job");
  row.replaceWith(changed);
  if (focus) changed.querySelector(focus).focus();
}

function markGone(row) {
  row.dataset.gone = "";
  row.querySelector("[name=run]").remove();
  const said = Object.assign(document.createElement("span"), { className: "reason", textContent: "Deleted" });
  row.querySelector(".what").append(said);
}

function plain(row) {
  const copy = row.cloneNode(true);
  for (const time of copy.querySelectorAll("time, [data-since]")) {
    time.replaceChildren();
    for (const name of ["title", "tabindex", "aria-label", "data-exact"]) time.removeAttribute(name);
  }
  return copy.outerHTML;
}
