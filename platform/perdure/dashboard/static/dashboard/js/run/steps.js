/** The Steps tab: every step of the run, those in sight drawn; filtered as the reader types, and live. */

import { durationText, tick } from "../page.js";
import { mark } from "./drawer.js";
import { currentState, subscribe } from "./frame.js";
import { VirtualList } from "./virtual.js";

/** In the order of the chips, as `finding.py` has them. */
const STATUSES = ["running", "waiting", "retrying", "failed", "stopped", "cancelled", "skipped", "completed"];
const main = document.querySelector("main");
const at = (name) => main.querySelector(`[data-at="${name}"]`);
const template = document.getElementById("template-step").content.firstElementChild;
const chipTemplate = at("chips").firstElementChild?.cloneNode(true);
const form = at("filter").querySelector("form");
const steps = new Map();
let wanted = readWanted();
let begun = false;

const list = new VirtualList(at("steps"), {
  make: () => template.cloneNode(true),
  fill: (row, step) => {
    fillStep(row.firstElementChild, step);
    mark(row);
  },
});

function readWanted() {
  const query = new URL(location.href).searchParams;
  return { words: query.get("q") || "", status: query.get("status") || "", retried: query.get("retried") === "yes" };
}

async function read() {
  try {
    const answer = await fetch(main.querySelector("[data-steps]").dataset.rows, { headers: { Accept: "application/json" } });
    if (!answer.ok || answer.redirected) return;
    const { steps: rows, sequence } = await answer.json();
    for (const [name, kind, status, attempts, startedAt, finishedAt, trouble] of rows) {
      steps.set(name, { name, kind, status, attempts, startedAt, finishedAt, trouble });
    }
    begun = true;
    // What came while the rows were on their way, and is newer than they are.
    for (const step of currentState().lastSequence > sequence ? currentState().steps.values() : []) take(step);
    main.querySelector('[data-at="pages"]')?.remove();
    draw();
  } catch {
    // The first page of steps stays, with the way to the others.
  }
}

/** The state tells what the events said; when a step began before the page did, its row knows. */
function take(step) {
  const known = steps.get(step.name);
  steps.set(step.name, { ...step, startedAt: step.startedAt ?? known?.startedAt ?? null, finishedAt: step.finishedAt ?? (isOpen(step) ? null : known?.finishedAt ?? null) });
}

function isOpen(step) {
  return ["running", "waiting", "retrying"].includes(step.status);
}

subscribe((state, events) => {
  const names = new Set(events.filter((event) => event.step && event.type.startsWith("step:")).map((event) => event.step));
  for (const name of names) if (state.steps.has(name)) take(state.steps.get(name));
  if (names.size && begun) draw();
});

function draw() {
  const words = wanted.words.toLowerCase().split(/\s+/).filter(Boolean);
  const found = [...steps.values()].filter((step) => fits(step, words));
  list.show(found);
  drawChips();
  const done = [...steps.values()].filter((step) => step.status === "completed" || step.status === "skipped").length;
  const isAny = !words.length && !wanted.status && !wanted.retried;
  const count = isAny ? `${done} of ${steps.size} done` : `${found.length} of ${steps.size} shown`;
  if (at("step-count").textContent !== count) at("step-count").textContent = steps.size ? count : "";
  at("no-steps").hidden = at("filter").toggleAttribute("hidden", !steps.size) ? false : steps.size > 0;
  at("no-match").hidden = found.length > 0 || !steps.size;
}

function fits(step, words) {
  const name = step.name.toLowerCase();
  return (!wanted.status || step.status === wanted.status) && (!wanted.retried || step.attempts > 1) && words.every((word) => name.includes(word));
}

function drawChips() {
  const counts = {};
  for (const { status } of steps.values()) counts[status] = (counts[status] ?? 0) + 1;
  const shown = ["", ...STATUSES.filter((status) => counts[status] || status === wanted.status)];
  const chips = new Map([...at("chips").children].map((chip) => [chip.firstElementChild.dataset.status, chip]));
  for (const [status, chip] of chips) if (!shown.includes(status)) chip.remove();
  shown.forEach((status, place) => {
    const chip = chips.get(status) ?? makeChip(status);
    if (at("chips").children[place] !== chip) at("chips").insertBefore(chip, at("chips").children[place] ?? null);
    fillChip(chip.firstElementChild, status, status ? counts[status] ?? 0 : steps.size);
  });
}

function makeChip(status) {
  const chip = chipTemplate.cloneNode(true);
  const link = chip.firstElementChild;
  link.dataset.status = status;
  link.querySelector("use").setAttribute("href", `#icon-${status || "all"}`);
  link.querySelector("b").previousSibling.textContent = `${status ? status[0].toUpperCase() + status.slice(1) : "All"} `;
  return chip;
}

function fillChip(link, status, count) {
  link.querySelector("b").textContent = count;
  link.toggleAttribute("aria-current", status === wanted.status);
  if (status === wanted.status) link.setAttribute("aria-current", "true");
  link.href = `?${query({ ...wanted, status })}`;
}

function query({ words, status, retried }) {
  const parts = new URLSearchParams();
  if (words.trim()) parts.set("q", words.trim());
  if (status) parts.set("status", status);
  if (retried) parts.set("retried", "yes");
  return parts;
}

/** The address says what is shown, so that it can be sent to somebody. */
function want(next) {
  wanted = next;
  const address = new URL(location.href);
  const step = address.searchParams.get("step");
  address.search = String(query(wanted));
  if (step) address.searchParams.set("step", step);
  history.replaceState(null, "", address);
  if (begun) draw();
}

at("chips").addEventListener("click", (event) => {
  const link = event.target.closest("a");
  if (!link || !begun || event.metaKey || event.ctrlKey || event.shiftKey) return;
  event.preventDefault();
  want({ ...wanted, status: link.dataset.status });
});
form.addEventListener("input", () => want({ ...wanted, words: form.elements.q.value, retried: form.elements.retried.checked }));
form.addEventListener("submit", (event) => begun && event.preventDefault());

function fillStep(row, step) {
  row.dataset.step = step.name;
  row.dataset.status = step.status;
  const address = new URL(location.href);
  address.searchParams.set("step", step.name);
  row.href = address.search;
  row.querySelector("use").setAttribute("href", `#icon-${step.status}`);
  row.querySelector(".mark .visually-hidden").textContent = step.status;
  row.querySelector(".name").textContent = step.name;
  row.querySelector(".trouble").textContent = step.trouble;
  row.querySelector(".attempts").textContent = step.attempts > 1 ? `${step.attempts} attempts · ` : "";
  fillDuration(row.querySelector(".took"), step);
}

function fillDuration(place, step) {
  delete place.dataset.since;
  if (step.finishedAt && step.startedAt) place.textContent = durationText(new Date(step.finishedAt) - new Date(step.startedAt));
  else if (step.startedAt && step.status === "running") {
    place.dataset.since = step.startedAt;
    tick(place.parentElement);
  } else place.textContent = step.status;
}

read();
