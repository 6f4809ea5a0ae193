/** The head of a run's page: status, sentence, progress and the tabs' numbers, as the live state tells them. */

import { sentence } from "../reducer.js";

const main = document.querySelector("main");
const at = (name) => main.querySelector(`[data-at="${name}"]`);
let before = null;

/** @param {object} state of the reducer; touches only what changed since the last call */
export function renderHeader(state) {
  main.dataset.lastSequence = state.lastSequence;
  if (before?.status !== state.status) renderStatus(state.status);
  if (before?.progress !== state.progress) renderProgress(state.progress);
  if (before && (before.status !== state.status || before.steps !== state.steps)) renderSentence(state);
  showCount("log", state.lastSequence);
  showCount("steps", state.left + state.steps.size);
  before = state;
}

/** The server's sentence of the first paint, or of a later summary, stays until something happens. */
function renderSentence(state) {
  const text = sentence(state);
  if (text) at("sentence").textContent = text;
}

function renderStatus(status) {
  main.dataset.runStatus = status;
  const badge = at("status").querySelector(".badge");
  if (badge.dataset.status === status) return;
  badge.dataset.status = status;
  badge.querySelector("use").setAttribute("href", `#icon-${status}`);
  badge.querySelector("span").textContent = status[0].toUpperCase() + status.slice(1);
}

function renderProgress(progress) {
  const box = at("progress");
  box.hidden = !progress;
  if (!progress) return;
  const bar = box.querySelector("progress");
  if (progress.total) {
    bar.max = progress.total;
    bar.value = progress.current ?? 0;
  } else bar.removeAttribute("value");
  at("progress-count").textContent = progress.total ? `${progress.current ?? 0} of ${progress.total}` : String(progress.current ?? "");
  at("progress-message").textContent = progress.message || "";
}

/** @param {string} tab its key; nothing happens where the tab has no number or is not there */
function showCount(tab, count) {
  const number = main.querySelector(`[data-tab="${tab}"] .tab-count`);
  if (number && number.textContent !== String(count)) number.textContent = count;
}
