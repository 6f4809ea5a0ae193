/** The step under way stays in sight in a drawing that scrolls. */

import { onParts } from "./frame.js";

let inSight = "";

/** When it changes; otherwise the drawing stays where the reader has scrolled it. */
function showCurrent() {
  const graph = document.querySelector("main .flow-graph");
  const box = graph?.querySelector("[data-current]");
  if (!box || box.dataset.node === inSight) return;
  inSight = box.dataset.node;
  const at = box.querySelector("rect").getBoundingClientRect();
  const frame = graph.getBoundingClientRect();
  graph.scrollTop += at.top - frame.top - (frame.height - at.height) / 2;
  graph.scrollLeft += at.left - frame.left - (frame.width - at.width) / 2;
}

showCurrent();
onParts(showCurrent);
