/** Two runs side by side: what a step gave in both is loaded when somebody opens its row. */

import { tick } from "./page.js";

document.addEventListener("toggle", async (event) => {
  const row = event.target;
  if (!row.matches?.("[data-compare]") || !row.open || "loaded" in row.dataset) return;
  row.dataset.loaded = "";
  const place = row.querySelector("[data-loaded-here]");
  try {
    const url = new URL(row.querySelector("a[data-detail]").href);
    url.searchParams.set("part", "1");
    const answer = await fetch(url, { headers: { Accept: "text/html" } });
    if (!answer.ok || answer.redirected) throw new Error(answer.statusText);
    place.replaceChildren(...new DOMParser().parseFromString(await answer.text(), "text/html").body.childNodes);
    tick(row);
  } catch {
    delete row.dataset.loaded;
    place.textContent = "Could not be loaded. Close the row and open it again.";
  }
}, true);
