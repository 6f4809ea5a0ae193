/** What a page of overviews or lists says about its line to the server. */

const SAID = {
  lost: ["The live line is lost: asking every 5 seconds.", ""],
  "signed-out": ["You are signed out. Sign in again to see what changes.", "bad"],
  refused: ["The live line was refused: asking every 5 seconds.", "bad"],
};

/** @param {HTMLElement|null} pill @param {string} what as `onState` of live.js says */
export function sayLine(pill, what) {
  if (!pill) return;
  const [text, tone] = SAID[what] ?? ["", ""];
  // Said once: each attempt that fails would have it read out again.
  if (pill.textContent !== text) pill.textContent = text;
  pill.dataset.tone = tone;
  pill.hidden = !text;
}
