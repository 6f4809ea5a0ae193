/** Puts a state of the run page into the page, touching only what changed. */

import { callText, diffLines } from "./frames.js";
import { durationText, tick } from "./page.js";
import { sentence } from "./reducer.js";

const MAX_ROWS = 5000;

/** @param {HTMLElement} main */
export function makeRenderer(main) {
  const at = (name) => main.querySelector(`[data-at="${name}"]`);
  const template = (name) => document.getElementById(`template-${name}`).content.firstElementChild;
  const parts = {
    steps: new Map([...main.querySelectorAll("[data-step]")].map((row) => [row.dataset.step, row])),
    streams: new Map([...main.querySelectorAll("[data-stream]")].map((row) => [row.dataset.stream, { row, shown: null }])),
  };
  let before = null;
  let waiting = [];

  function renderState(state) {
    renderEvents();
    main.dataset.lastSequence = state.lastSequence;
    if (!before || before.status !== state.status) renderStatus(state);
    if (!before || before.progress !== state.progress) renderProgress(state.progress);
    if (!before || before.steps !== state.steps) renderSteps(state);
    if (!before || before.streams !== state.streams) renderStreams(state);
    renderSentence(state);
    before = state;
  }

  /** The server's sentence of the first paint, or of a later summary, stays until something happens. */
  function renderSentence(state) {
    const text = sentence(state);
    if (!text || !before || (before.status === state.status && before.steps === state.steps)) return;
    at("sentence").textContent = text;
  }

  function renderStatus(state) {
    main.dataset.runStatus = state.status;
    setBadge(at("status").querySelector(".badge"), state.status);
  }

  function renderProgress(progress) {
    const box = at("progress");
    box.hidden = !progress;
    if (!progress) return;
    const bar = box.querySelector("progress");
    if (progress.total) {
      bar.max = progress.total;
      bar.value = progress.current ?? 0;
      at("progress-count").textContent = `${progress.current ?? 0} of ${progress.total}`;
    } else {
      bar.removeAttribute("value");
      at("progress-count").textContent = String(progress.current ?? "");
    }
    at("progress-message").textContent = progress.message || "";
  }

  function renderSteps(state) {
    for (const [name, step] of state.steps) {
      if (before && before.steps.get(name) === step) continue;
      const row = parts.steps.get(name) || addStep(name);
      if (before) fillStep(row, step);
    }
    const done = [...state.steps.values()].filter((step) => step.status === "completed" || step.status === "skipped").length;
    at("step-count").textContent = state.steps.size ? `${done} of ${state.steps.size} done` : "";
    at("no-steps").hidden = state.steps.size > 0;
  }

  function addStep(name) {
    const row = template("step").cloneNode(true);
    row.dataset.step = name;
    row.querySelector(".name").textContent = name;
    const link = row.querySelector("a[data-detail]");
    link.href += encodeURIComponent(name);
    at("steps").append(row);
    parts.steps.set(name, row);
    return row;
  }

  function fillStep(row, step) {
    const box = row.querySelector(".step");
    const mark = box.querySelector(".mark");
    box.dataset.status = step.status;
    mark.querySelector("use").setAttribute("href", `#icon-${step.status}`);
    mark.querySelector(".visually-hidden").textContent = step.status;
    box.querySelector(".attempts").textContent = step.attempts > 1 ? `${step.attempts} attempts · ` : "";
    fillDuration(box.querySelector(".took"), step);
    const trouble = box.querySelector(".trouble");
    trouble.hidden = !step.trouble;
    trouble.textContent = step.trouble;
    // What was loaded of an unfinished step is out of date now.
    delete box.dataset.loaded;
    if (box.open) box.dispatchEvent(new Event("toggle"));
  }

  function fillDuration(place, step) {
    if (step.finishedAt && step.startedAt) {
      delete place.dataset.since;
      place.textContent = durationText(new Date(step.finishedAt) - new Date(step.startedAt));
    } else if (step.startedAt && step.status === "running") {
      place.dataset.since = step.startedAt;
      tick(place.parentElement);
    } else {
      delete place.dataset.since;
      if (step.status !== "completed") place.textContent = step.status;
    }
  }

  function renderStreams(state) {
    for (const [name, stream] of state.streams) {
      if (before && before.streams.get(name) === stream) continue;
      const part = parts.streams.get(name) || addStream(name);
      fillStream(part, stream);
    }
  }

  function addStream(name) {
    const row = template("stream").cloneNode(true);
    row.dataset.stream = name;
    row.querySelector(".stream-name").textContent = name;
    at("streams").append(row);
    const part = { row, shown: null };
    parts.streams.set(name, part);
    return part;
  }

  function fillStream(part, stream) {
    const before = part.shown?.revision === stream.revision ? part.shown : null;
    const rest = stream.calls.length > 0 || stream.reasoning !== "";
    part.row.querySelector(".stream-text").hidden = rest && !stream.text && stream.state === "done";
    const place = part.row.querySelector(".stream-text");
    place.classList.toggle("diff", stream.diff);
    fillText(place, stream.text, before?.diff === stream.diff ? before.text : undefined, stream.diff);
    fillText(part.row.querySelector(".stream-reasoning pre"), stream.reasoning, before?.reasoning);
    fillReasoning(part.row.querySelector(".stream-reasoning"), stream);
    fillCalls(part, stream.calls);
    part.shown = stream;
    part.row.dataset.state = stream.state;
    part.row.querySelector(".stream-state").textContent = streamState(stream);
  }

  /** New text is appended: the browser lays out only that, and a reader's selection stays. */
  function fillText(place, text, before, diff = false) {
    if (text === before) return;
    const follows = place.scrollHeight - place.scrollTop - place.clientHeight < 40;
    if (before === undefined) place.textContent = "";
    const more = text.slice(before?.length ?? 0);
    place.append(...(diff ? diffLines(more).map(diffLine) : [more]));
    if (follows) place.scrollTop = place.scrollHeight;
  }

  function diffLine({ look, text }) {
    const line = document.createElement("span");
    line.className = look;
    line.textContent = `${text}\n`;
    return line;
  }

  /** Open while there is nothing else to read yet; whoever opened or closed it has the last word. */
  function fillReasoning(fold, stream) {
    fold.hidden = !stream.reasoning;
    if (fold.dataset.chosen === undefined) fold.open = stream.state === "live" && !stream.text;
    fold.querySelector("summary").onclick ||= () => { fold.dataset.chosen = ""; };
  }

  function fillCalls(part, calls) {
    if (part.shown?.calls === calls) return;
    const list = part.row.querySelector(".stream-calls");
    list.hidden = !calls.length;
    list.replaceChildren(...calls.map((call) => {
      const row = document.createElement("li");
      row.textContent = callText(call);
      return row;
    }));
  }

  /** One row of the log for each recorded event; they go in together, since each look at the scroll lays out the page. */
  function renderEvents() {
    if (!waiting.length) return;
    const list = at("events");
    const follows = list.scrollHeight - list.scrollTop - list.clientHeight < 40;
    list.append(...waiting.slice(-MAX_ROWS).map(makeRow));
    waiting = [];
    while (list.childElementCount > MAX_ROWS) list.firstElementChild.remove();
    if (follows) list.scrollTop = list.scrollHeight;
  }

  function makeRow(event) {
    const row = template("event").cloneNode(true);
    row.dataset.sequence = event.sequence;
    row.dataset.type = event.type;
    if (event.type === "log:write") row.dataset.level = event.data?.level || "info";
    row.querySelector(".no").textContent = event.sequence;
    row.querySelector(".type").textContent = event.type;
    row.querySelector(".say").textContent = eventText(event);
    row.title = new Date(event.created_at).toLocaleString();
    return row;
  }

  function addEvent(event) {
    waiting.push(event);
  }

  return { renderState, addEvent };
}

function streamState(stream) {
  if (stream.state === "live" && stream.truncated) return "live, its beginning is no longer held";
  if (stream.state === "live") return stream.status ? `live · ${stream.status}` : "live";
  if (stream.state === "failed") return "stopped";
  return stream.source ? `recorded · ${stream.source}` : "recorded";
}

export function setBadge(badge, status) {
  badge.dataset.status = status;
  badge.querySelector("use").setAttribute("href", `#icon-${status}`);
  badge.querySelector("span").textContent = status[0].toUpperCase() + status.slice(1);
}

function short(text) {
  const letters = [...String(text ?? "").split(/\s+/).filter(Boolean).join(" ")];
  return letters.length <= 200 ? letters.join("") : `${letters.slice(0, 199).join("")}…`;
}

/** What the events of agent flows say; `words_of` of flow_words.py says the same of recorded ones. */
function flowText(type, data) {
  if (type === "artifact:save") return `${data.name} version ${data.version}`;
  if (type === "flow:limit") return `${data.iteration} of ${data.max} iterations: ${data.granted ? `${data.granted} more granted` : "no more granted"}`;
  if (type === "flow:blocked") return `${data.step} asks: ${short(data.prompt)} (${data.answered ? `answered${data.by === "agent" ? " by an agent" : ""}` : "nobody answered"})`;
  if (type === "flow:loop" && !data.cycle) return `${data.step} ran ${data.count} times in a row (${data.action})`;
  if (type === "flow:loop") return `${data.cycle.join(" → ")}, ${data.threshold} times: the judge chose ${data.verdict || "nothing"}`;
  const source = data.sub ? `${data.from || ""} / ${data.sub}` : data.from || "";
  const way = data.to ? `${source} → ${data.to}` : source;
  const why = data.reason || data.condition;
  return why ? `${way}: ${short(why)}` : way;
}

function budgetText(data) {
  if (data.granted) return Object.entries(data.granted).map(([name, amount]) => `${name} +${amount}`).join(", ");
  return "spent" in data ? `${data.limit}: ${data.spent} of ${data.hard}` : data.limit;
}

/** What an event says in a few words; the `event_text` filter of the templates says the same. */
export function eventText(event) {
  const data = event.data || {};
  const step = event.step || data.update ? `${event.step || data.update} ` : "";
  if (event.type === "log:write") return String(data.message ?? "");
  if (event.type === "run:progress") return `${data.current} of ${data.total} ${data.message || ""}`.trim();
  if (event.type.startsWith("budget:")) return budgetText(data);
  if (/^(flow|artifact):/.test(event.type)) return flowText(event.type, data);
  if (data.error) return `${step}${data.error.type || ""}: ${data.error.message || ""}`;
  return `${step}${data.signal || data.reason || ""}`.trim();
}
