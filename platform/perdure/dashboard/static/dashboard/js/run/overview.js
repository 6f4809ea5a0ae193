/** The Overview tab: what streams now; everything else on it is the server's to write. */

import "./position.js";
import "./streams.js";
import { tickClocks } from "../clocks.js";
import { tick } from "../page.js";
import { currentState, subscribe } from "./frame.js";

const MOST = 20;
const card = document.querySelector('main [data-at="now-card"]');
const list = card.querySelector('[data-at="now"]');
let before = currentState().steps;

subscribe((state) => {
  if (state.steps === before && !state.ended) return;
  before = state.steps;
  const now = state.ended ? [] : [...state.steps.values()].filter((step) => step.status === "running" || step.status === "retrying");
  card.hidden = !now.length;
  list.replaceChildren(...now.slice(0, MOST).map(nowRow));
  if (now.length > MOST) list.append(textRow(`${now.length - MOST} more`, document.createElement("span")));
  tick(list);
  tickClocks(list);
});

function nowRow(step) {
  const meta = document.createElement("span");
  meta.className = "muted small";
  const clock = document.createElement("span");
  if (step.status === "retrying") {
    if (step.wakeAt) clock.dataset.until = step.wakeAt;
    meta.append(step.wakeAt ? "again in " : "again in a moment", clock);
  } else {
    if (step.startedAt) clock.dataset.since = step.startedAt;
    meta.append(step.attempts > 1 ? `attempt ${step.attempts} · ` : "", clock);
  }
  const row = textRow(step.name, meta);
  row.dataset.step = step.name;
  return row;
}

function textRow(text, meta) {
  const row = document.createElement("li");
  const name = document.createElement("span");
  name.className = "name";
  name.textContent = text;
  row.append(name, meta);
  return row;
}
