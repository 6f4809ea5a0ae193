/** The list of runs: its rows stay where they are while they change, and new ones wait until somebody asks for them. */

import { sayLine } from "../line_said.js";
import { Line } from "../live.js";
import { readParts } from "../parts.js";
import { listenForChoice, showChoice } from "./choice.js";
import { listenForKeys } from "./rows.js";
import { refresh } from "./refresh.js";

const PAUSE = 700;
const POLL = 5000;
/** A server that is slow is asked less often: the pause is so many times what it took. */
const PATIENCE = 8;

const area = document.querySelector("[data-run-list]");
const held = new Map();
let timer = 0;
let polling = 0;
let pause = PAUSE;
let readAt = 0;
let busy = false;
let again = false;

async function readAgain() {
  timer = 0;
  if (busy) {
    again = true;
    return;
  }
  busy = true;
  const began = performance.now();
  const news = await refresh(area);
  pause = Math.max(PAUSE, PATIENCE * (performance.now() - began));
  busy = false;
  readAt = Date.now();
  if (news !== null) showNews(news);
  showChoice(area);
  if (again) {
    again = false;
    changed();
  }
}

function changed() {
  if (document.visibilityState === "visible") timer ||= setTimeout(readAgain, Math.max(pause - (Date.now() - readAt), 50));
}

/** New runs are counted, and put in when somebody asks: nothing moves under a pointer. */
function showNews(count) {
  const place = area.querySelector("[data-news]");
  const text = count > 50 ? "More than 50 new runs: show them" : `${count} new ${count === 1 ? "run" : "runs"}: show ${count === 1 ? "it" : "them"}`;
  if (!count) return place.replaceChildren();
  if (!area.querySelector("tbody")) return showAll();
  const button = place.querySelector("button") ?? Object.assign(document.createElement("button"), { type: "button" });
  if (button.textContent === text) return undefined;
  button.textContent = text;
  button.onclick = showAll;
  return place.replaceChildren(button);
}

async function showAll() {
  const chosen = [...area.querySelectorAll("[name=run]:checked")].map((box) => box.value);
  await readParts(area);
  for (const value of chosen) {
    const box = area.querySelector(`[name=run][value="${CSS.escape(value)}"]`);
    if (box) box.checked = true;
  }
  // The bar below the table is drawn with the first runs only.
  if (!area.querySelector("[data-bulk]") && area.querySelector("tbody")) return location.reload();
  const hadFocus = area.querySelector("[data-news]").contains(document.activeElement);
  area.querySelector("[data-news]").replaceChildren();
  if (hadFocus) area.querySelector("tbody a.job")?.focus();
  return showChoice(area);
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
  sayLine(document.getElementById("line-pill"), what);
  // Each attempt that fails says so again: it must not put off the next reading.
  if (what !== "open") polling ||= setInterval(changed, POLL);
  else {
    clearInterval(polling);
    polling = 0;
    changed();
  }
}

listenForChoice(area);
listenForKeys(area);
document.addEventListener("visibilitychange", changed);
new Line({ socketUrl: area.dataset.socketUrl, onEvent: take, onState: showLine }).start();
