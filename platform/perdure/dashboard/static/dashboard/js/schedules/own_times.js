/** A schedule's times as the viewer's clocks will show them, where those are in another zone: `[data-own-time]`. */

const exact = new Intl.DateTimeFormat("en-GB", { weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", timeZoneName: "short" });
const own = Intl.DateTimeFormat().resolvedOptions().timeZone;

for (const place of document.querySelectorAll("[data-own-time]")) {
  if (own && own !== place.dataset.zone) place.textContent = `${exact.format(new Date(place.dataset.ownTime))} for you`;
}
