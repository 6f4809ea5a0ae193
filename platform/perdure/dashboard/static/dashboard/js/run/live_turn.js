/** What one streaming step says now: thinking, text and calls that grow, and attempts that were discarded meanwhile. */

import { callText, textIn } from "../frames.js";
import { LiveText } from "./live_text.js";

/** Characters of a discarded attempt that stay to be read. */
const KEPT = 20_000;

export class LiveTurn {
  /** @param {HTMLElement} row from a template with the parts `.stream-state`, `.stream-text` and so on */
  constructor(row) {
    this.row = row;
    this.text = new LiveText(row.querySelector(".stream-text"));
    this.thinking = new LiveText(row.querySelector(".stream-reasoning pre"));
    this.shown = null;
    /** @type {Map<number, string>} by attempt, what was thrown away */
    this.discarded = new Map();
    row.querySelector(".stream-reasoning summary").addEventListener("click", () => { this.chosen = true; });
  }

  /** @param {import("../reducer.js").Stream} stream @param {object[]} frames those of this step since the last call */
  fill(stream, frames) {
    if (this.shown && this.shown.revision !== stream.revision) this.#beginAgain(stream);
    this.#fillText(stream, frames);
    if (stream.reasoning.length > this.thinking.length) this.thinking.append(stream.reasoning.slice(this.thinking.length));
    this.#fold(stream);
    this.#fillCalls(stream);
    this.shown = stream;
    this.row.dataset.state = stream.state;
    this.row.querySelector(".stream-state").textContent = stateText(stream);
  }

  /** Frames are appended as they are: cutting what is new out of the whole text would copy all of it each time. */
  #fillText(stream, frames) {
    if (this.text.length && this.text.isDiff !== stream.diff) this.text.clear();
    if (this.text.length) for (const frame of frames) this.text.append(textIn(frame.data) ?? "", stream.diff);
    if (this.text.length > stream.text.length) this.text.clear();
    if (this.text.length < stream.text.length) this.text.append(stream.text.slice(this.text.length), stream.diff);
    const rest = stream.calls.length > 0 || stream.reasoning !== "";
    this.text.place.hidden = rest && !stream.text;
  }

  #beginAgain(stream) {
    const before = this.shown;
    const isNew = before.attempt !== stream.attempt && stream.state === "live";
    if (isNew && before.attempt && (before.text || before.reasoning)) this.#keepDiscarded(before.attempt, before.text || before.reasoning);
    this.text.clear();
    this.thinking.clear();
  }

  #keepDiscarded(attempt, text) {
    this.discarded.set(attempt, text.slice(-KEPT));
    const fold = document.createElement("details");
    fold.className = "discarded";
    fold.dataset.attempt = attempt;
    const summary = document.createElement("summary");
    summary.textContent = `Attempt ${attempt} was discarded`;
    fold.append(summary, struck(text.slice(-KEPT)));
    this.row.querySelector(".live-discarded")?.append(fold);
  }

  /** @returns {Element|null} */
  discardedRow(attempt) {
    return this.row.querySelector(`.live-discarded [data-attempt="${attempt}"]`);
  }

  /** Open while there is nothing else to read yet; whoever opened or closed it has the last word. */
  #fold(stream) {
    const fold = this.row.querySelector(".stream-reasoning");
    fold.hidden = !stream.reasoning;
    if (!this.chosen) fold.open = stream.state === "live" && !stream.text;
  }

  #fillCalls(stream) {
    if (this.shown?.calls === stream.calls) return;
    const list = this.row.querySelector(".stream-calls");
    list.hidden = !stream.calls.length;
    list.replaceChildren(...stream.calls.map((call) => {
      const row = document.createElement("li");
      row.textContent = callText(call);
      return row;
    }));
  }
}

/** @returns {Map<string, object[]>} the frames of streams, each step's in order */
export function framesByStep(frames) {
  const found = new Map();
  for (const frame of frames) {
    if (frame.type !== "stream") continue;
    if (found.has(frame.step)) found.get(frame.step).push(frame);
    else found.set(frame.step, [frame]);
  }
  return found;
}

/** @returns {HTMLElement} text that does not count */
export function struck(text) {
  const place = document.createElement("pre");
  place.className = "text struck";
  place.textContent = text;
  return place;
}

function stateText(stream) {
  if (stream.state === "live" && stream.truncated) return "live, its beginning is no longer held";
  if (stream.state === "live") return stream.status ? `live · ${stream.status}` : "live";
  if (stream.state === "failed") return "stopped";
  return stream.source ? `recorded · ${stream.source}` : "recorded";
}
