/** The run page: recorded rows painted by the server, continued live from the sequence that they end with. */

import { Line } from "./live.js";
import { tick } from "./page.js";
import { begin, reduce } from "./reducer.js";
import { makeRenderer } from "./render.js";

const main = document.querySelector("main");
const recorded = JSON.parse(document.getElementById("run-state").textContent);
const renderer = makeRenderer(main);
const pill = document.getElementById("line-pill");

let state = begin(recorded);
let lost = false;
let frame = 0;
let quiet = 0;
let refreshing = 0;
let asked = 0;
let shown = 0;
let stale = false;
let inSight = "";
renderer.renderState(state);
scrollLogToEnd();
showCurrent();

const line = new Line({
  socketUrl: main.dataset.socketUrl,
  eventsUrl: main.dataset.eventsUrl,
  eventTypes: main.dataset.eventTypes.split(" "),
  after: () => state.lastSequence,
  onEvent: take,
  onState: showLine,
});
if (state.ended) main.dataset.line = "ended";
else line.start();

function take(event) {
  const result = reduce(state, event);
  if (result.verdict === "hole") line.restart();
  if (result.verdict === "seen" || result.verdict === "hole") return;
  state = result.state;
  if (result.verdict === "recorded") {
    renderer.addEvent(event);
    if (isTold(event.type)) refreshSoon();
  }
  frame ||= requestAnimationFrame(draw);
  if (state.ended) line.stop();
}

function draw() {
  frame = 0;
  renderer.renderState(state);
}

function showLine(what, transport) {
  main.dataset.line = what;
  main.dataset.transport = transport;
  if (what === "lost") {
    lost = true;
    say("Connection lost. Trying again…", "wait");
  } else if (what === "open" && lost) {
    lost = false;
    say(`Connected again, resumed at #${state.lastSequence}`, "good", 6000);
  } else if (what === "signed-out") say("You are signed out. Reload to sign in again.", "bad");
  else if (what === "gone") say("This run is no longer here. Reload the page.", "bad");
  else if (what === "refused") say("The server refused the live line. Reload the page.", "bad");
  else if (what === "ended") pill.hidden = true;
}

function say(text, tone, milliseconds = 0) {
  clearTimeout(quiet);
  pill.textContent = text;
  pill.dataset.tone = tone;
  pill.hidden = false;
  if (milliseconds) quiet = setTimeout(() => (pill.hidden = true), milliseconds);
}

/* The sentence, the actions, the waits, the children, the budget and the state are the server's to write: fetched after
   such events. What a step has spent is told by its end. */
function isTold(type) {
  if (/^step:(complete|retry|fail)$/.test(type)) return Boolean(main.querySelector("[data-budget], [data-flow]"));
  if (/^(run:progress|step:start|step:cancel)$/.test(type)) return Boolean(main.querySelector("[data-flow]"));
  return /^(run|question|child|signal|state|budget|artifact|flow|update):/.test(type) && type !== "run:progress";
}

/* Once for all events of the moment, and not put off by those that keep coming. */
function refreshSoon() {
  refreshing ||= setTimeout(refresh, 150);
}

/* An answer that somebody is writing is not taken away by an event of the run. */
function isTouched(part) {
  return [...part.querySelectorAll("[data-answer] input, [data-answer] textarea, [data-answer] select")].some(
    (field) => field === document.activeElement || (field.type === "radio" || field.type === "checkbox" ? field.checked !== field.defaultChecked : field.type !== "hidden" && field.defaultValue !== undefined && field.value !== field.defaultValue),
  );
}

/* What the reader has opened, scrolled and put the focus on stays so. */
function replace(part, next) {
  const kept = [...part.querySelectorAll("[data-keep]")].map((one) => ({ name: one.dataset.keep, open: one.open, top: one.scrollTop, left: one.scrollLeft }));
  const focused = part.contains(document.activeElement) ? document.activeElement.closest("[data-keep]")?.dataset.keep : "";
  part.replaceChildren(...next.childNodes);
  for (const { name, open, top, left } of kept) {
    const one = part.querySelector(`[data-keep="${CSS.escape(name)}"]`);
    if (!one) continue;
    if (open) one.open = true;
    one.scrollTop = top;
    one.scrollLeft = left;
    if (name === focused) (one.querySelector("summary") ?? one).focus({ preventScroll: true });
  }
  showCurrent();
}

/* The step under way is in sight when it changes; otherwise the drawing stays where the reader has scrolled it. */
function showCurrent() {
  const graph = main.querySelector(".flow-graph");
  const box = graph?.querySelector("[data-current]");
  if (!box || box.dataset.node === inSight) return;
  inSight = box.dataset.node;
  const at = box.querySelector("rect").getBoundingClientRect();
  const frame = graph.getBoundingClientRect();
  graph.scrollTop += at.top - frame.top - (frame.height - at.height) / 2;
  graph.scrollLeft += at.left - frame.left - (frame.width - at.width) / 2;
}

async function refresh() {
  refreshing = 0;
  if (document.querySelector("dialog[open]")) {
    stale = true;
    return;
  }
  const mine = ++asked;
  try {
    const answer = await fetch(`${location.pathname}?summary`, { headers: { Accept: "text/html" } });
    if (!answer.ok || answer.redirected) return;
    if (mine < shown) return; // a later question was answered first
    shown = mine;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    document.title = fresh.title;
    for (const part of document.querySelectorAll("[data-part]")) {
      const next = fresh.querySelector(`[data-part="${part.dataset.part}"]`);
      if (next && !isTouched(part)) replace(part, next);
    }
    tick();
    draw();
  } catch {
    refreshing ||= setTimeout(refresh, 2000);
  }
}
document.addEventListener("close", () => stale && ((stale = false), refreshSoon()), true);

/* A step's result is loaded when somebody opens it: a run may hold thousands. */
document.addEventListener("toggle", async (event) => {
  const box = event.target;
  if (!box.matches?.(".step") || !box.open || box.dataset.loaded) return;
  box.dataset.loaded = "yes";
  const detail = box.querySelector(".detail");
  try {
    const url = new URL(detail.querySelector("a[data-detail]").href);
    url.searchParams.set("part", "1");
    const answer = await fetch(url);
    if (!answer.ok) throw new Error(answer.statusText);
    detail.querySelector("[data-loaded-here]").replaceChildren(...new DOMParser().parseFromString(await answer.text(), "text/html").body.childNodes);
    tick(detail);
  } catch {
    delete box.dataset.loaded;
    detail.querySelector("[data-loaded-here]").textContent = "Could not be loaded. Close the step and open it again.";
  }
}, true);

function scrollLogToEnd() {
  const list = main.querySelector('[data-at="events"]');
  list.scrollTop = list.scrollHeight;
}

document.getElementById("logs-only").addEventListener("change", (event) => {
  main.querySelector('[data-at="events"]').classList.toggle("logs-only", event.target.checked);
});
