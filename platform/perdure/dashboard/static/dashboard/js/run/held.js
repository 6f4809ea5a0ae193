/** What a page that asks again and again says it has of the streams under way, so that it is told what follows. */

/** As many as one answer tells of, in an address that every server takes. */
const MOST = 20;
const LENGTH = 4000;
let turn = 0;

/** @param {import("../reducer.js").State} state @returns {string[]} of many streams another part each time */
export function heldStreams(state) {
  const open = [...state.steps.values()].filter((step) => step.kind === "stream" && step.status === "running");
  if (turn >= open.length) turn = 0;
  const found = [];
  let length = 0;
  for (const { name } of open.slice(turn, turn + MOST)) {
    const stream = state.streams.get(name);
    const held = stream ? `${stream.epoch}.${stream.attempt}.${stream.next}.${name}` : `0.0.0.${name}`;
    length += encodeURIComponent(held).length;
    if (found.length && length > LENGTH) break;
    found.push(held);
  }
  turn += found.length;
  return found;
}
