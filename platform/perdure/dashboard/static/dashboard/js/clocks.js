/** Times inside sentences: the reader's own time of day, and what is left until a moment. */

import { durationText } from "./page.js";

const clockFace = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });

/** Brings those under `root` up to now. */
export function tickClocks(root = document) {
  const now = Date.now();
  for (const time of root.querySelectorAll("time[data-clock]")) showClock(time, now);
  for (const left of root.querySelectorAll("[data-until]")) showLeft(left, new Date(left.dataset.until) - now);
}

function showClock(time, now) {
  const at = new Date(time.dateTime);
  time.title ||= time.textContent;
  const clock = clockFace.format(at);
  const isToday = at.toDateString() === new Date(now).toDateString();
  const text = isToday ? clock : `${day.format(at)} ${clock}`;
  if (time.textContent !== text) time.textContent = text;
}

function showLeft(place, milliseconds) {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  const text = seconds < 60 ? `${seconds} s` : durationText(seconds * 1000);
  if (place.textContent !== text) place.textContent = text;
}
