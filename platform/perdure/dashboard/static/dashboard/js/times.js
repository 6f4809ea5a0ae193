/** Moments as people say them: relative, and exact in the viewer's own zone on hover and on focus. */

const UNITS = [["day", 86_400], ["hour", 3600], ["minute", 60]];
const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
const exact = new Intl.DateTimeFormat("en-GB", {
  weekday: "short", day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit", timeZoneName: "short",
});
const own = new Intl.DateTimeFormat("en-GB", { weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", timeZoneName: "short" });
const ownZone = own.resolvedOptions().timeZone;
const date = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric" });

export function relativeTime(at, now = Date.now()) {
  const seconds = (at - now) / 1000;
  for (const [unit, length] of UNITS) {
    if (Math.abs(seconds) >= length) return relative.format(Math.round(seconds / length), unit);
  }
  if (Math.abs(seconds) < 5) return "just now";
  return relative.format(Math.round(seconds), "second");
}

/** @param {Date} at */
export function exactTime(at) {
  return exact.format(at);
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

/** As the viewer's clocks will show it, where those are in another zone than the schedule's. */
function showOwn(place) {
  if (!ownZone || ownZone === place.dataset.zone) return;
  const text = `${own.format(new Date(place.dataset.ownTime))} for you`;
  if (place.textContent !== text) place.textContent = text;
}

export function tick(root = document) {
  const now = Date.now();
  for (const time of root.querySelectorAll("time[data-relative]")) {
    const at = new Date(time.dateTime);
    // In a row that is a link, the link's focus tells its times: a stop of the Tab key for each would be in the way.
    if (!time.hasAttribute("tabindex") && !rowLink(time)) time.tabIndex = 0;
    const text = Math.abs(now - at) > 7 * 86_400_000 ? date.format(at) : relativeTime(at, now);
    if (time.textContent !== text) time.textContent = text;
  }
  for (const place of root.querySelectorAll("[data-own-time]")) showOwn(place);
  for (const clock of root.querySelectorAll("[data-since]")) {
    const elapsed = now - new Date(clock.dataset.since);
    const text = elapsed < 10_000 ? `${Math.max(0, Math.floor(elapsed / 1000))} s` : durationText(Math.floor(elapsed / 1000) * 1000).replace(".0 s", " s");
    if (clock.textContent !== text) clock.textContent = text;
  }
}

function rowLink(time) {
  return time.closest("tr, li")?.querySelector("a[href]");
}

const tip = document.createElement("div");
tip.className = "tip";
tip.id = "tip";
tip.role = "tooltip";
tip.hidden = true;
document.body.append(tip);
let told = null;

function show(time) {
  told = time;
  tip.textContent = exactTime(new Date(time.dateTime));
  tip.hidden = false;
  place(time);
  time.setAttribute("aria-describedby", tip.id);
}

function place(time) {
  const box = time.getBoundingClientRect();
  const size = tip.getBoundingClientRect();
  const above = box.top > size.height + 8 ? box.top - size.height - 4 : box.bottom + 4;
  tip.style.top = `${above}px`;
  tip.style.left = `${Math.max(8, Math.min(box.left, innerWidth - size.width - 8))}px`;
}

function hide() {
  told?.removeAttribute("aria-describedby");
  told = null;
  tip.hidden = true;
}

function timeOf(target) {
  return target instanceof Element ? target.closest("time[data-relative]") : null;
}

document.addEventListener("pointerover", (event) => {
  const time = timeOf(event.target);
  if (time) show(time);
  else if (told && told !== document.activeElement) hide();
});
document.addEventListener("focusin", (event) => {
  const link = event.target instanceof Element && event.target.matches(":focus-visible") ? event.target : null;
  const time = timeOf(event.target) ?? (link?.matches("a") ? link.closest("tr, li")?.querySelector("time[data-relative]") : null);
  if (time) show(time);
  else hide();
});
document.addEventListener("focusout", hide);
document.addEventListener("keydown", (event) => event.key === "Escape" && hide());
// The focus itself scrolls to what it is on: then the moment told goes along. What the pointer was on is left behind.
const isFocused = () => told.contains(document.activeElement) || rowLink(told) === document.activeElement;
addEventListener("scroll", () => told && (isFocused() ? place(told) : hide()), { capture: true, passive: true });

tick();
setInterval(tick, 1000);
