/** The Overview tab's streams: what streaming steps say now, as text that grows. */

import { currentState, subscribe } from "./frame.js";
import { framesByStep, LiveTurn } from "./live_turn.js";

const list = document.querySelector('main [data-at="streams"]');
const template = document.getElementById("template-stream").content.firstElementChild;
const turns = new Map();
let before = currentState().streams;

subscribe((state, events, frames) => {
  if (state.streams === before) return;
  const of = framesByStep(frames);
  for (const [name, stream] of state.streams) {
    if (before.get(name) !== stream) (turns.get(name) || addTurn(name)).fill(stream, of.get(name) ?? []);
  }
  before = state.streams;
});

function addTurn(name) {
  const painted = list.querySelector(`[data-stream="${CSS.escape(name)}"]`);
  const row = painted ?? template.cloneNode(true);
  row.dataset.stream = name;
  row.querySelector(".stream-name").textContent = name;
  if (!painted) list.append(row);
  const turn = new LiveTurn(row);
  turns.set(name, turn);
  return turn;
}
