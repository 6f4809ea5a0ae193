/**
 * What the run page shows, as a pure function of the events that it received. It touches no page and keeps nothing.
 *
 * Recorded events are numbered without gaps: one that was seen is dropped, one that would leave a hole is refused.
 * Frames of a stream are numbered by epoch, attempt and offset: an older attempt's never mixes with a newer one's.
 *
 * @typedef {{name: string, kind: string, status: string, attempts: number, startedAt: string|null,
 *   finishedAt: string|null, wakeAt: string|null, trouble: string}} Step
 * @typedef {{epoch: number, attempt: number, next: number, text: string, reasoning: string,
 *   calls: {id: string, name: string, arguments: string}[], source: string, status: string, diff: boolean, truncated: boolean, revision: number,
 *   state: "live"|"done"|"failed"}} Stream
 * @typedef {{lastSequence: number, status: string, reason: string, progress: object|null, steps: Steps, done: number, left: number,
 *   streams: Map<string, Stream>, ended: boolean}} State `steps` are without the completed ones of the first paint
 *   (there may be thousands), of which `left` counts how many there are; `done` counts all that have completed
 */

import { SILENT, withFrame, withResult } from "./frames.js";
import { Steps } from "./steps.js";

const ENDS = { "run:complete": "completed", "run:fail": "failed", "run:cancel": "cancelled" };
const STATUSES = {
  "run:queued": "queued", "run:start": "running", "run:resume": "running", "run:recover": "running",
  "run:retry": "queued", "run:wait": "waiting", "run:pause": "paused", ...ENDS,
};
const STEP_STATUSES = {
  "step:start": "running", "step:complete": "completed", "step:fail": "failed", "step:retry": "retrying",
  "step:cancel": "cancelled", "step:skip": "skipped",
};

const WAITS = ["signal", "sleep", "child"];

/** @returns {State} the state that the server painted first */
export function begin(recorded) {
  const steps = new Steps(recorded.steps.map((step) => [step.name, { startedAt: null, finishedAt: null, wakeAt: null, trouble: "", ...step }]));
  return {
    lastSequence: recorded.lastSequence, status: recorded.status, reason: recorded.reason || "",
    progress: recorded.progress, steps, streams: new Map(),
    done: recorded.done ?? 0, left: recorded.left ?? 0,
    ended: Object.values(ENDS).includes(recorded.status),
  };
}

/**
 * @param {State} state
 * @param {object} event the envelope
 * @returns {{state: State, verdict: "recorded"|"live"|"seen"|"hole"}} the next state; the same one for "seen" and "hole"
 */
export function reduce(state, event) {
  if (event.type === "stream") return live(state, addFrame(state, event));
  if (event.type === "stream:reset") return live(state, resetStream(state, event));
  if (event.type === "gap") return skipTo(state, event);
  if (typeof event.sequence !== "number") return { state, verdict: "seen" };
  if (event.sequence <= state.lastSequence) return { state, verdict: "seen" };
  if (event.sequence > state.lastSequence + 1) return { state, verdict: "hole" };
  return { state: record({ ...state, lastSequence: event.sequence }, event), verdict: "recorded" };
}

/** What the run is doing, from what is known in the page; null when the server's own sentence says it better. */
export function sentence(state) {
  if (state.ended) return `${state.status[0].toUpperCase()}${state.status.slice(1)}.`;
  if (state.status !== "running") return null;
  const { done } = state;
  const working = [];
  let retrying = null;
  for (const step of state.steps.values()) {
    if (step.status === "running") working.push(step);
    else if (step.status === "retrying") retrying ??= step;
  }
  const others = working.length > 1 ? ` and ${working.length - 1} more` : "";
  if (working.length) return `Running step ${done + 1}: ${working[0].name}${others}.`;
  const count = `${done} step${done === 1 ? "" : "s"} done.`;
  return retrying ? `Trying ${retrying.name} again in a moment; ${count}` : `Running; ${count}`;
}

function live(state, next) {
  return { state: next, verdict: next === state ? "seen" : "live" };
}

function skipTo(state, event) {
  const first = event.data?.first_sequence;
  if (!(first > state.lastSequence + 1)) return { state, verdict: "seen" };
  return { state: { ...state, lastSequence: first - 1 }, verdict: "live" };
}

function record(state, event) {
  if (event.type === "run:progress") return { ...state, progress: event.data };
  if (event.type in STATUSES) return recordStatus(state, event);
  if (event.type in STEP_STATUSES && event.step !== null) return recordStep(state, event);
  return state;
}

function recordStatus(state, event) {
  // Whoever lets a run go on queues it; a worker that takes it up says so without a name.
  const status = event.type === "run:resume" && event.data?.actor ? "queued" : STATUSES[event.type];
  const next = { ...state, status, reason: event.data?.reason || "", ended: event.type in ENDS };
  if (!next.ended) return next;
  const streams = new Map([...state.streams].map(([name, found]) => [name, { ...found, state: found.state === "live" ? "failed" : found.state }]));
  return { ...next, streams };
}

function recordStep(state, event) {
  const before = state.steps.get(event.step) || { name: event.step, kind: event.data?.kind || "", attempts: 0, startedAt: null };
  const ended = event.type !== "step:start" && event.type !== "step:retry";
  const error = event.data?.error;
  const step = {
    ...before,
    status: stepStatus(event),
    attempts: Math.max(before.attempts, event.attempt || 1),
    startedAt: event.type === "step:start" ? event.created_at : before.startedAt,
    finishedAt: ended ? event.created_at : null,
    trouble: error ? `${error.type}: ${error.message}` : "",
    wakeAt: event.type === "step:retry" ? later(event.created_at, event.data?.delay_seconds) : null,
  };
  const steps = state.steps.set(event.step, step);
  const done = state.done + (step.status === "completed" ? 1 : 0) - (before.status === "completed" ? 1 : 0);
  const status = event.type === "step:start" && !state.ended ? "running" : state.status;
  return { ...state, status, steps, done, streams: endStream(state.streams, event, step.kind) };
}

function later(moment, seconds) {
  return typeof seconds === "number" ? new Date(new Date(moment).getTime() + seconds * 1000).toISOString() : null;
}

function stepStatus(event) {
  if (event.type === "step:start" && WAITS.includes(event.data?.kind)) return "waiting";
  // the failure of its run found it at work: a retry of the run begins it again
  if (event.type === "step:cancel" && event.data?.stopped) return "stopped";
  return STEP_STATUSES[event.type];
}

function endStream(streams, event, kind) {
  const found = streams.get(event.step) || (kind === "stream" ? emptyStream(0, 0, 1) : null);
  if (!found) return streams;
  if (event.type === "step:complete") {
    const said = withResult(found, event.data?.output);
    const goesOn = said.text.startsWith(found.text) && said.reasoning.startsWith(found.reasoning);
    const revision = goesOn ? found.revision : found.revision + 1;
    return new Map(streams).set(event.step, { ...found, ...said, revision, truncated: false, state: "done" });
  }
  if (streams.has(event.step) && (event.type === "step:fail" || event.type === "step:cancel")) {
    return new Map(streams).set(event.step, { ...found, state: "failed" });
  }
  return streams;
}

function emptyStream(epoch, attempt, revision) {
  return { ...SILENT, epoch, attempt, next: 0, truncated: false, revision, state: "live" };
}

/** Once a step's result is recorded, the result is the truth and late frames are not. */
function isRecorded(state, event) {
  return state.steps.get(event.step)?.status === "completed";
}

function isOlder(event, found) {
  return event.epoch < found.epoch || (event.epoch === found.epoch && event.attempt < found.attempt);
}

function isNewer(event, found) {
  return event.epoch > found.epoch || (event.epoch === found.epoch && event.attempt > found.attempt);
}

function resetStream(state, event) {
  const found = state.streams.get(event.step);
  if (isRecorded(state, event) || (found && isOlder(event, found))) return state;
  const epoch = event.epoch ?? found?.epoch ?? 0;
  const attempt = event.attempt ?? found?.attempt ?? 0;
  const head = event.data?.truncated ?? 0;
  const fresh = { ...emptyStream(epoch, attempt, (found?.revision ?? 0) + 1), next: head, truncated: head > 0 };
  return { ...state, streams: new Map(state.streams).set(event.step, fresh) };
}

function addFrame(state, event) {
  let found = state.streams.get(event.step);
  if (isRecorded(state, event) || (found && isOlder(event, found))) return state;
  if (!found || isNewer(event, found)) found = emptyStream(event.epoch, event.attempt, (found?.revision ?? 0) + 1);
  if (event.offset < found.next) return state;
  const next = {
    ...withFrame(found, event.data),
    next: event.offset + 1,
    truncated: found.truncated || event.offset > found.next,
  };
  return { ...state, streams: new Map(state.streams).set(event.step, next) };
}
