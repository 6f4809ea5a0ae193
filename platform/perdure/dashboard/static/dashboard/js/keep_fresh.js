/**
 * A page of overviews, kept fresh: the feed of runs says that something changed, and the page's parts are read again.
 * What no feed tells (workers, sums, time that passes) is read again now and then.
 */

import { sayLine } from "./line_said.js";
import { Line } from "./live.js";
import { readParts } from "./parts.js";

/**
 * @param {HTMLElement} area holds the `[data-part]`s; `data-socket-url` is the feed, without one there is none;
 *   `data-run` is the run that alone is of interest
 * @param {{pause?: number, poll?: number, calm?: number}} [times] milliseconds: between two reads when much changes,
 *   between reads without the live line, and between reads when nothing is told
 */
export function keepFresh(area, { pause = 2000, poll = 5000, calm = 20_000 } = {}) {
  const pill = document.getElementById("line-pill");
  const held = new Map();
  let readAt = Date.now();
  let timer = 0;
  let reading = false;
  let every = calm;

  async function readAgain() {
    timer = 0;
    if (reading || document.visibilityState !== "visible") return;
    reading = true;
    readAt = Date.now();
    const put = remember(area);
    await readParts(area);
    put();
    reading = false;
  }

  function changed() {
    timer ||= setTimeout(readAgain, Math.max(pause - (Date.now() - readAt), 50));
  }

  /** A snapshot, then rows as they change, some of them twice; only a higher sequence is news. */
  function take(message) {
    if (message.type === "delete" && [undefined, message.id].includes(area.dataset.run)) changed();
    const only = area.dataset.run;
    for (const run of message.type === "snapshot" ? message.runs : message.run ? [message.run] : []) {
      if (only && run.id !== only) continue;
      if (run.last_sequence <= (held.get(run.id) ?? 0)) continue;
      held.set(run.id, run.last_sequence);
      if (message.type !== "snapshot") changed();
    }
  }

  function showLine(what) {
    area.dataset.line = what;
    if (what === "open" && every === poll) changed();
    every = what === "open" ? calm : poll;
    sayLine(pill, what);
  }

  setInterval(() => Date.now() - readAt >= every && readAgain(), 1000);
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && changed());
  if (area.dataset.socketUrl) new Line({ socketUrl: area.dataset.socketUrl, onEvent: take, onState: showLine }).start();
}

/** What somebody has opened, and where the keyboard is, outlive the new parts. */
function remember(area) {
  const open = [...area.querySelectorAll("details[open][id]")].map((fold) => fold.id);
  const focused = area.contains(document.activeElement) ? document.activeElement : null;
  const fold = focused?.matches("summary") ? focused.parentElement.id : "";
  const href = focused?.getAttribute("href");
  return () => {
    for (const id of open) document.getElementById(id)?.setAttribute("open", "");
    if (!focused || focused.isConnected) return;
    const next = fold ? document.getElementById(fold)?.querySelector("summary") : href && area.querySelector(`a[href="${CSS.escape(href)}"]`);
    next?.focus({ preventScroll: true });
  };
}
