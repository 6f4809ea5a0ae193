/** The list of runs, kept fresh: the feed says that something changed, and the page is read again where it stands. */

import { Line } from "./live.js";
import { readParts } from "./parts.js";

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
  await readParts(area);
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
