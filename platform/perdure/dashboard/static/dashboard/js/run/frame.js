/**
 * Every tab of a run's page stands on this: the one line to the run, the state that its events make, the head of the
 * page, and the parts that the server writes. A tab's own script asks for what arrives:
 *
 *   import { subscribe, currentState } from "../run/frame.js";
 */

import { tickClocks } from "../clocks.js";
import { Line } from "../live.js";
import { tick } from "../page.js";
import { begin, reduce } from "../reducer.js";
import { replaceParts } from "./fresh.js";
import { heldStreams } from "./held.js";
import { renderHeader } from "./header.js";
import "./ask.js";

/** A tab that nobody looks at gets no animation frames; what arrives must not pile up in it. */
const HIDDEN = 1000;
const main = document.querySelector("main");
const pill = document.getElementById("line-pill");
const listeners = [];
const redrawn = [];

let state = begin(JSON.parse(document.getElementById("run-state").textContent));
let events = [];
let frames = [];
let planned = null;
let lost = false;
let quiet = 0;
let refreshing = 0;
let asked = 0;
let shown = 0;
let stale = false;
let polling = 0;

/** @returns {import("../reducer.js").State} */
export function currentState() {
  return state;
}

/**
 * Calls `listener(state, events, frames)` at most once an animation frame: recorded events in order, each once, and
 * what is not recorded (frames of streams, resets, gaps) since the last call. Subscribe while the module is loaded.
 * @returns {() => void} ends it
 */
export function subscribe(listener) {
  listeners.push(listener);
  return () => listeners.splice(listeners.indexOf(listener), 1);
}

/** Calls `listener()` whenever the server's parts have been put in place anew. */
export function onParts(listener) {
  redrawn.push(listener);
}

const line = new Line({
  socketUrl: main.dataset.socketUrl,
  eventsUrl: main.dataset.eventsUrl,
  eventTypes: main.dataset.eventTypes.split(" "),
  after: () => state.lastSequence,
  streams: () => heldStreams(state),
  onEvent: take,
  onState: showLine,
});

function take(event) {
  const result = reduce(state, event);
  if (result.verdict === "hole") line.restart();
  if (result.verdict === "seen" || result.verdict === "hole") return;
  state = result.state;
  (result.verdict === "recorded" ? events : frames).push(event);
  if (result.verdict === "recorded" && isTold(event.type)) refreshSoon();
  plan();
  if (state.ended) line.stop();
}

function plan() {
  planned ??= { frame: requestAnimationFrame(draw), timer: setTimeout(draw, HIDDEN) };
}

function draw() {
  if (planned) {
    cancelAnimationFrame(planned.frame);
    clearTimeout(planned.timer);
    planned = null;
  }
  const [newEvents, newFrames] = [events, frames];
  events = [];
  frames = [];
  renderHeader(state);
  for (const listener of [...listeners]) listener(state, newEvents, newFrames);
}

function showLine(what, transport) {
  main.dataset.line = what;
  main.dataset.transport = transport;
  if (what === "lost") {
    lost = true;
    say("Connection lost. Trying again…", "wait");
  } else if (what === "open" && transport === "poll") {
    lost = true;
    say("Live line blocked: asking every 2 seconds", "wait");
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
  if (type === "step:retry") return true;
  if (/^step:(complete|fail)$/.test(type)) return Boolean(main.querySelector("[data-budget], [data-flow]"));
  if (/^(run:progress|step:start|step:cancel)$/.test(type)) return Boolean(main.querySelector("[data-flow]"));
  return /^(run|question|child|signal|state|budget|artifact|flow|update):/.test(type) && type !== "run:progress";
}

/* Once for all events of the moment, and not put off by those that keep coming. */
function refreshSoon() {
  refreshing ||= setTimeout(refresh, 150);
}

async function refresh() {
  refreshing = 0;
  if (document.querySelector("dialog[open]")) {
    stale = true;
    return;
  }
  const mine = ++asked;
  try {
    const address = new URL(location.href);
    address.searchParams.set("summary", "");
    const answer = await fetch(address, { headers: { Accept: "text/html" } });
    if (!answer.ok || answer.redirected || mine < shown) return; // a later question was answered first
    shown = mine;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    document.title = fresh.title;
    replaceParts(fresh);
    for (const listener of redrawn) listener();
    tick();
    tickClocks();
    poll();
    draw();
  } catch {
    refreshing ||= setTimeout(refresh, 2000);
  }
}
/* What no event of this run tells, as the end of a child of a cancelled run: looked at again while somebody looks. */
function poll() {
  clearTimeout(polling);
  const seconds = Math.min(...[...main.querySelectorAll("[data-poll]")].map((part) => Number(part.dataset.poll)));
  if (Number.isFinite(seconds)) polling = setTimeout(() => (document.visibilityState === "visible" ? refresh() : poll()), seconds * 1000);
}

document.addEventListener("close", () => stale && ((stale = false), refreshSoon()), true);

/* On a phone the tabs do not all fit: the one that is open is in sight. */
function showTab() {
  const bar = main.querySelector(".tab-bar");
  const current = bar?.querySelector("[aria-current]");
  if (current) bar.scrollLeft += current.getBoundingClientRect().left - bar.getBoundingClientRect().left - (bar.clientWidth - current.clientWidth) / 2;
}

function start() {
  renderHeader(state);
  showTab();
  tickClocks();
  setInterval(tickClocks, 1000);
  poll();
  if (state.ended) main.dataset.line = "ended";
  else line.start();
}

// Not before the tab's own script has subscribed: it must miss nothing.
if (document.readyState === "complete") start();
else document.addEventListener("DOMContentLoaded", start);
