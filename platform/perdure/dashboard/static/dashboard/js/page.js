/** What every page needs: times, copying, keys, values that open, dialogs, menus, forms that are sent once. */

import "./copying.js";
import "./diffs.js";
import "./json_tree.js";
import "./keys.js";
import "./long_text.js";
import "./times.js";

export { durationText, exactTime, relativeTime, tick } from "./times.js";

document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-dialog]");
  const dialog = opener && document.getElementById(opener.dataset.dialog);
  if (dialog) {
    event.preventDefault();
    dialog.showModal();
  }
  const closer = event.target.closest("[data-close]");
  if (closer) closer.closest("dialog").close();
  const tab = event.target.closest("[data-show]");
  if (tab) showView(tab);
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(event.target) || dialog) menu.open = false;
  }
});

document.addEventListener("keydown", (event) => {
  const menu = event.key === "Escape" && document.querySelector("details.menu[open]");
  if (!menu) return;
  menu.open = false;
  menu.querySelector("summary").focus();
});

function showView(tab) {
  const group = tab.closest("[data-views]");
  for (const button of group.querySelectorAll("[data-show]")) button.setAttribute("aria-pressed", String(button === tab));
  for (const view of group.querySelectorAll("[data-view]")) view.hidden = view.dataset.view !== tab.dataset.show;
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.dataset.sent) event.preventDefault();
  form.dataset.sent = "yes";
  // Only a double click is meant: whoever stops a slow page may send again.
  setTimeout(() => delete form.dataset.sent, 3000);
});
window.addEventListener("pageshow", () => document.querySelectorAll("form[data-sent]").forEach((form) => delete form.dataset.sent));

for (const select of document.querySelectorAll("select[data-go]")) select.addEventListener("change", () => select.form.requestSubmit());
