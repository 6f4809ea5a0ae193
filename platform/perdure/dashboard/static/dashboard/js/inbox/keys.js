/** The inbox by keyboard: j and k move the focus from question to question; Enter opens, as on every link. */

import { shortcut } from "../keys.js";

function move(by) {
  const links = [...document.querySelectorAll(".inbox-row a")];
  const place = links.indexOf(document.activeElement);
  const next = place < 0 ? (by > 0 ? 0 : links.length - 1) : Math.min(Math.max(place + by, 0), links.length - 1);
  links[next]?.focus();
}

shortcut("j", "Next question", () => move(1));
shortcut("k", "Question before", () => move(-1));
