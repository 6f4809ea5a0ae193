/** What every page needs: relative times, running clocks, dialogs, forms that are sent once. */

const UNITS = [["day", 86_400], ["hour", 3600], ["minute", 60]];
const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });

export function relativeTime(at, now = Date.now()) {
  const seconds = (at - now) / 1000;
  for (const [unit, length] of UNITS) {
    if (Math.abs(seconds) >= length) return relative.format(Math.round(seconds / length), unit);
  }
  if (Math.abs(seconds) < 5) return "just now";
  return relative.format(Math.round(seconds), "second");
}

export function durationText(milliseconds) {
  const seconds = Math.max(0, milliseconds / 1000);
  if (seconds < 1) return `${Math.round(milliseconds)} ms`;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const minutes = Math.floor(seconds / 60);
  const pad = (number) => String(number).padStart(2, "0");
  if (minutes < 60) return `${minutes} min ${pad(Math.floor(seconds % 60))} s`;
  return `${Math.floor(minutes / 60)} h ${pad(minutes % 60)} min`;
}

export function tick(root = document) {
  const now = Date.now();
  for (const time of root.querySelectorAll("time[data-relative]")) {
    const at = new Date(time.dateTime);
    time.title ||= time.textContent;
    const text = Math.abs(now - at) > 7 * 86_400_000 ? at.toLocaleDateString() : relativeTime(at, now);
    if (time.textContent !== text) time.textContent = text;
  }
  for (const clock of root.querySelectorAll("[data-since]")) {
    const elapsed = now - new Date(clock.dataset.since);
    const text = elapsed < 10_000 ? `${Math.max(0, Math.floor(elapsed / 1000))} s` : durationText(Math.floor(elapsed / 1000) * 1000).replace(".0 s", " s");
    if (clock.textContent !== text) clock.textContent = text;
  }
}

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

tick();
setInterval(tick, 1000);
