/** The Log tab: a row for each recorded event as it comes. */

import { eventText } from "./event_text.js";
import { subscribe } from "./frame.js";

const MAX_ROWS = 5000;
const list = document.querySelector('main [data-at="events"]');
const template = document.getElementById("template-event").content.firstElementChild;

subscribe((state, events) => {
  if (!events.length) return;
  const follows = document.documentElement.scrollHeight - scrollY - innerHeight < 40;
  list.append(...events.slice(-MAX_ROWS).map(makeRow));
  while (list.childElementCount > MAX_ROWS) list.firstElementChild.remove();
  if (follows) scrollTo(0, document.documentElement.scrollHeight);
});

function makeRow(event) {
  const row = template.cloneNode(true);
  row.dataset.sequence = event.sequence;
  row.dataset.type = event.type;
  if (event.type === "log:write") row.dataset.level = event.data?.level || "info";
  row.querySelector(".no").textContent = event.sequence;
  row.querySelector(".type").textContent = event.type;
  row.querySelector(".say").textContent = eventText(event);
  row.title = new Date(event.created_at).toLocaleString();
  return row;
}

document.getElementById("logs-only").addEventListener("change", (event) => list.classList.toggle("logs-only", event.target.checked));
