/** The list of runs, kept fresh: the feed says that something changed, and the page is read again where it stands. */

import { Line } from "./live.js";
import { tick } from "./page.js";

const PAUSE = 700;
const POLL = 5000;
const area = document.querySelector("[data-live-list]");
let timer = 0;
let polling = 0;
const held = new Map();
let readAt = 0;

async function readAgain() {
  timer = 0;
  readAt = Date.now();
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

function changed() {
  timer ||= setTimeout(readAgain, Math.max(PAUSE - (Date.now() - readAt), 50));
}

/** A snapshot, then rows as they change, some of them twice; only a higher sequence is news. */
function take(message) {
  if (message.type === "delete") changed();
  for (const run of message.type === "snapshot" ? message.runs : message.run ? [message.run] : []) {
    if (run.last_sequence <= (held.get(run.id) ?? 0)) continue;
    held.set(run.id, run.last_sequence);
    changed();
  }
}

function showLine(what) {
  area.dataset.line = what;
  clearInterval(polling);
  if (what !== "open") polling = setInterval(() => document.visibilityState === "visible" && readAgain(), POLL);
  if (what === "open") changed();
}

new Line({ socketUrl: area.dataset.socketUrl, onEvent: take, onState: showLine }).start();
