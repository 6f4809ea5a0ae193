/**
 * The Conversation tab: turns as the server writes them, and in those that are not over what streams now. After an event
 * the turns that may have changed are read again; a turn that is over stays as it is.
 */

import { tick } from "../page.js";
import { currentState, subscribe } from "./frame.js";
import { LiveText } from "./live_text.js";
import { framesByStep, LiveTurn, struck } from "./live_turn.js";

const PAUSE = 250;
const list = document.querySelector('main [data-at="talks"]');
const none = document.querySelector('main [data-at="no-talks"]');
const template = (name) => document.getElementById(`template-${name}`).content.firstElementChild;
const turns = new Map();
let before = currentState().streams;
let planned = 0;
let isReading = false;
let isStale = false;
let took = 0;
let everything = false;

subscribe((state, events, frames) => {
  if (state.streams !== before) fillStreams(state, framesByStep(frames));
  if (!events.some((event) => /^(step|question|run|flow):/.test(event.type))) return;
  // A retry lets steps go on that were over.
  everything ||= events.some((event) => event.type === "run:retry");
  readSoon();
});

function fillStreams(state, of) {
  for (const [name, stream] of state.streams) {
    if (before.get(name) === stream || isRecorded(name)) continue;
    (turns.get(name) || addTurn(name)).fill(stream, of.get(name) ?? []);
  }
  before = state.streams;
}

/** What the server has written of an ended turn says more than the stream did. */
function isRecorded(name) {
  return articleOf(name)?.dataset.status === "completed";
}

function articleOf(name) {
  return list.querySelector(`[data-turn="${CSS.escape(name)}"]`);
}

function addTurn(name) {
  const turn = new LiveTurn(template("live").cloneNode(true));
  turns.set(name, turn);
  const place = articleOf(name)?.querySelector("[data-live-here]") ?? addPlaceholder(name);
  place.append(turn.row);
  none.hidden = true;
  return turn;
}

/** The stream may be here before the server was asked about its turn. */
function addPlaceholder(name) {
  const card = template("talk").cloneNode(true);
  card.dataset.placeholder = name;
  card.querySelector("h2").textContent = name;
  list.append(card);
  return card.querySelector("[data-live-here]");
}

/** Once for all events of the moment; a server that takes its time is asked less often. */
function readSoon() {
  isStale = isReading;
  if (!isReading) planned ||= setTimeout(read, Math.max(PAUSE, 4 * took));
}

async function read() {
  planned = 0;
  isReading = true;
  const begun = performance.now();
  try {
    const url = new URL(location.pathname, location.href);
    url.searchParams.set("part", "");
    url.searchParams.set("since", String(firstOpen()));
    const answer = await fetch(url, { headers: { Accept: "text/html" } });
    if (answer.ok && !answer.redirected) put(new DOMParser().parseFromString(await answer.text(), "text/html"));
    everything = false;
  } catch {
    isStale = true;
  }
  took = performance.now() - begun;
  isReading = false;
  if (isStale) readSoon();
}

/** The id of the first turn that is not over, or one more than that of the last. */
function firstOpen() {
  const ids = (selector) => [...list.querySelectorAll(selector)].map((turn) => Number(turn.dataset.id));
  if (everything) return ids("[data-turn]").length ? Math.min(...ids("[data-turn]")) : 0;
  return Math.min(Math.max(0, ...ids("[data-turn]")) + 1, ...ids("[data-turn]:not([data-final])"));
}

function put(fresh) {
  for (const talk of fresh.querySelectorAll("[data-talk]")) {
    const known = list.querySelector(`[data-talk="${CSS.escape(talk.dataset.talk)}"]`);
    if (!known) addTalk(talk);
    else for (const turn of talk.querySelectorAll("[data-turn]")) putTurn(known, turn);
  }
  none.hidden = Boolean(list.querySelector("[data-turn], [data-placeholder]"));
  tick(list);
}

function addTalk(talk) {
  const first = list.querySelector("[data-placeholder]");
  list.insertBefore(document.adoptNode(talk), first);
  for (const turn of talk.querySelectorAll("[data-turn]")) keepLive(turn);
}

function putTurn(talk, turn) {
  const known = articleOf(turn.dataset.turn);
  if (known && known.dataset.painted === turn.innerHTML) return;
  const painted = turn.innerHTML;
  const next = document.adoptNode(turn);
  if (known) keepOpen(known, next);
  keepLive(next);
  if (known) known.replaceWith(next);
  else talk.querySelector("[data-turns]").append(next);
  // A turn that goes on is compared with what the server wrote of it, not with what streams in it.
  if (!("final" in next.dataset)) next.dataset.painted = painted;
}

/** What streams in a turn goes on in its new place; what was thrown away stays to be read. */
function keepLive(turn) {
  const live = turns.get(turn.dataset.turn);
  list.querySelector(`[data-placeholder="${CSS.escape(turn.dataset.turn)}"]`)?.remove();
  if (!live) return;
  for (const [attempt, text] of live.discarded) {
    const fold = turn.querySelector(`[data-discarded="${attempt}"]`);
    if (fold && !fold.querySelector("[data-discarded-text]")) fold.append(struck(text));
    if (fold) live.discardedRow(attempt)?.remove();
  }
  if (turn.dataset.status === "completed") {
    keepText(turn, live);
    turns.delete(turn.dataset.turn);
  } else turn.querySelector("[data-live-here]")?.append(live.row);
}

/** A long text that was read while it came is not taken away for its beginning. */
function keepText(turn, live) {
  const far = turn.querySelector("[data-far-text]");
  if (far && live.text.length === Number(far.dataset.farText)) far.replaceChildren(live.text.place);
}

/** The whole of a long text, in place of its beginning. */
document.addEventListener("click", async (event) => {
  const link = event.target.closest?.("a[data-far]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  const place = link.closest("[data-far-text]").querySelector("pre");
  try {
    const answer = await fetch(link.href);
    if (!answer.ok || answer.redirected) throw new Error(answer.statusText);
    const whole = await answer.text();
    place.classList.add("stream-text");
    new LiveText(place).append(whole);
    place.scrollTop = 0;
    place.focus();
    link.parentElement.remove();
  } catch {
    location.assign(link.href);
  }
});

function keepOpen(old, next) {
  for (const fold of old.querySelectorAll("[data-keep][open]")) {
    const same = next.querySelector(`[data-keep="${CSS.escape(fold.dataset.keep)}"]`);
    if (same) same.open = true;
  }
  const focused = old.contains(document.activeElement) ? document.activeElement.closest("[data-keep]")?.dataset.keep : "";
  if (focused) queueMicrotask(() => next.querySelector(`[data-keep="${CSS.escape(focused)}"] summary`)?.focus({ preventScroll: true }));
}
