/** Which runs are chosen, and what can be done with them. */

/** @param {Element} area */
export function listenForChoice(area) {
  area.addEventListener("change", (event) => {
    if (event.target.matches("[data-pick-all]")) {
      for (const box of boxes(area)) box.checked = event.target.checked;
    }
    showChoice(area);
  });
  area.querySelector("[data-clear]")?.addEventListener("click", () => {
    clear(area);
    area.querySelector("a.job")?.focus();
  });
  // A browser that comes back keeps the boxes.
  window.addEventListener("pageshow", () => showChoice(area));
  showChoice(area);
}

/** @param {Element} area */
export function showChoice(area) {
  const bar = area.querySelector("[data-bulk]");
  if (!bar) return;
  const chosen = boxes(area).filter((box) => box.checked);
  const all = bar.querySelector("[data-all]")?.checked ?? false;
  for (const box of boxes(area)) box.closest("tr").toggleAttribute("data-chosen", box.checked || all);
  const text = all ? "All chosen" : `${chosen.length} chosen`;
  const said = bar.querySelector("[data-chosen]");
  if (said.textContent !== text) said.textContent = text;
  bar.dataset.open = all || chosen.length ? "yes" : "no";
  showPickAll(area, chosen.length);
  showCompare(bar, all ? [] : chosen);
}

function showPickAll(area, chosen) {
  const pick = area.querySelector("[data-pick-all]");
  if (!pick) return;
  const count = boxes(area).length;
  pick.checked = count > 0 && chosen === count;
  pick.indeterminate = chosen > 0 && chosen < count;
}

function showCompare(bar, chosen) {
  const link = bar.querySelector("[data-compare]");
  if (!link) return;
  link.hidden = chosen.length !== 2;
  if (!link.hidden) link.href = `/runs/${chosen[1].value}/compare/${chosen[0].value}/`;
}

function clear(area) {
  for (const box of boxes(area)) box.checked = false;
  const all = area.querySelector("[data-all]");
  if (all) all.checked = false;
  showChoice(area);
}

function boxes(area) {
  return [...area.querySelectorAll("tbody [name=run]")];
}
