/** The inbox, kept fresh on every page: its count beside the link, and its rows where the page shows them. */

import { Line } from "./live.js";
import { readParts } from "./parts.js";

const PAUSE = 300;
const link = document.querySelector("[data-inbox]");
const area = document.querySelector("[data-live-inbox]");
const held = new Map();
let timer = 0;

function showCount(count) {
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

if (link) {
  new Line({
    socketUrl: link.dataset.inbox,
    onEvent: take,
    onState: (what) => {
      link.dataset.line = what;
    },
  }).start();
}
