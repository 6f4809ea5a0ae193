/** One lane of the timeline; `drawing.py` says and draws the same for the first paint. */

import { durationText } from "../page.js";
import { place } from "./scale.js";

const SVG = "http://www.w3.org/2000/svg";
const WORDS = {
  queued: "queued", working: "worked", waiting: "waited", retrying: "waited for another attempt", paused: "paused", stopped: "stopped",
};
const PATTERNED = new Set(["waiting", "retrying", "paused"]);

/**
 * @param {HTMLElement} row a copy of the empty row
 * @param {[string, string, string, number, number, string, any[]]} lane as `as_rows` of drawing.py tells it
 * @param {string} shown the run of the page
 * @param {{segments: any[], percent: (place: number) => number}} view
 */
export function fillLane(row, lane, shown, view) {
  const [title, kind, status, attempts, depth, run, parts] = lane;
  row.dataset.depth = depth;
  row.dataset.status = status;
  const link = row.querySelector(".lane-name");
  link.href = address(kind, run, title, shown);
  if (kind !== "job" && run === shown) link.dataset.step = title;
  else delete link.dataset.step;
  row.querySelector("use").setAttribute("href", `#icon-${status}`);
  row.querySelector(".lane-title").textContent = title;
  row.querySelector(".lane-told").textContent = told(status, attempts, parts);
  row.querySelector(".lane-took").textContent = parts.length ? durationText(parts[parts.length - 1][2] - parts[0][1]) : "";
  row.querySelector(".lane-bars").replaceChildren(...folds(view), ...bars(parts, view));
}

function address(kind, run, title, shown) {
  if (kind === "job") return run === shown ? `/runs/${run}/` : `/runs/${run}/timeline/`;
  return `/runs/${run}/timeline/?step=${encodeURIComponent(title)}`;
}

function told(status, attempts, parts) {
  const spent = {};
  for (const [kind, start, end] of parts) spent[kind] = (spent[kind] ?? 0) + end - start;
  const times = Object.keys(WORDS).filter((kind) => spent[kind]).map((kind) => `${WORDS[kind]} ${durationText(spent[kind])}`);
  return [status, ...times, ...(attempts > 1 ? [`${attempts} attempts`] : [])].join(", ");
}

function folds({ segments, percent }) {
  return segments.filter((one) => one[4] && percent(one[3]) > percent(one[2])).map(([, , left, right]) =>
    rect("fold", percent(left), percent(right) - percent(left), "0", "100%"));
}

function bars(parts, { segments, percent }) {
  const found = [];
  for (const [kind, start, end, attempt, outcome] of parts) {
    const [from, to] = [percent(place(segments, start)), percent(place(segments, end))];
    if (to <= 0 || from >= 100) continue;
    const bar = rect(`part ${kind}`, from, to - from, "20%", "60%");
    bar.dataset.outcome = outcome;
    if (PATTERNED.has(kind)) bar.setAttribute("fill", `url(#fill-${kind})`);
    const title = document.createElementNS(SVG, "title");
    title.textContent = words(kind, end - start, attempt, outcome);
    bar.append(title);
    found.push(bar);
  }
  return found;
}

function words(kind, length, attempt, outcome) {
  const first = attempt ? `attempt ${attempt} ` : "";
  return `${first}${WORDS[kind]} ${durationText(length)}${outcome && outcome !== "open" ? ` (${outcome})` : ""}`;
}

function rect(look, x, wide, y, high) {
  const one = document.createElementNS(SVG, "rect");
  one.setAttribute("class", look);
  for (const [name, value] of [["x", `${x.toFixed(3)}%`], ["width", `${wide.toFixed(3)}%`], ["y", y], ["height", high]]) one.setAttribute(name, value);
  return one;
}
