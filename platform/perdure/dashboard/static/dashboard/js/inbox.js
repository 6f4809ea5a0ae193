/** The inbox, kept fresh on every page: its count beside the link, and its rows where the page shows them. */

import { sayLine } from "./line_said.js";
import { Line } from "./live.js";
import { readParts } from "./parts.js";

const PAUSE = 300;
const POLL = 5000;
const link = document.querySelector("[data-inbox]");
const area = document.querySelector("[data-live-inbox]");
const held = new Map();
let timer = 0;
let polling = 0;

function showCount(count) {
  for (const mark of document.querySelectorAll("[data-inbox-mark]")) mark.hidden = !count;
  let badge = link.querySelector(".count");
  if (!count) return badge?.remove();
  if (!badge) {
    badge = document.createElement("b");
    badge.className = "count";
    link.append(" ", badge);
  }
  badge.textContent = String(count);
  badge.setAttribute("aria-label", `${count} waiting`);
}

/** The server draws the rows, so that they look and read as on a page that was just opened. */
function changed() {
  if (!area) return;
  timer ||= setTimeout(() => {
    timer = 0;
    readParts(area);
  }, PAUSE);
}

/** Rows that changed lately are told again: only another row is news. */
function take(message) {
  if ("count" in message) showCount(message.count);
  if (message.type === "question") {
    const text = JSON.stringify(message.question);
    if (held.get(message.question.id) === text) return;
    held.set(message.question.id, text);
  }
  if (message.type === "delete") held.delete(message.id);
  changed();
}

/** Without its line the page asks again and again; where it shows the rows, it says so. */
function showLine(what) {
  link.dataset.line = what;
  const wasLost = polling !== 0;
  // Each attempt that fails says so again: it must not put off the next question.
  if (what !== "open") polling ||= setInterval(askInSight, POLL);
  else {
    clearInterval(polling);
    polling = 0;
  }
  if (!area) return;
  if (wasLost && what === "open") changed();
  sayLine(document.getElementById("line-pill"), what);
}

function askInSight() {
  if (document.visibilityState !== "visible") return;
  if (area) readParts(area);
  askCount();
}

async function askCount() {
  try {
    const answer = await fetch(link.dataset.count, { headers: { Accept: "application/json" } });
    if (answer.ok && !answer.redirected) showCount((await answer.json()).count);
  } catch {
    // The next time tells it.
  }
}

if (link) {
  new Line({
    socketUrl: link.dataset.inbox,
    onEvent: take,
    onState: showLine,
  }).start();
  document.addEventListener("visibilitychange", () => polling && askInSight());
}
