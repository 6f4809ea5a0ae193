/** A step beside the tab: `?step=` in the address opens it, so that each step can be linked to and the way back works. */

import { tick } from "../page.js";
import { subscribe } from "./frame.js";

const AGAIN = 1000;
const drawer = document.getElementById("step-drawer");
const title = document.getElementById("drawer-title");
const body = drawer.querySelector('[data-at="drawer"]');
let open = new URL(location.href).searchParams.get("step") || "";
let opener = null;
let asked = 0;
let again = 0;

document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a[data-step]");
  if (link && isPlain(event)) {
    event.preventDefault();
    opener = link;
    go(link.dataset.step);
  }
  if (event.target.closest?.("[data-drawer-close]") && isPlain(event)) {
    event.preventDefault();
    close();
  }
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && open && !document.querySelector("dialog[open]")) close();
});
addEventListener("popstate", () => show(new URL(location.href).searchParams.get("step") || ""));

function isPlain(event) {
  return event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
}

function go(name) {
  const address = new URL(location.href);
  address.searchParams.set("step", name);
  history.pushState(null, "", address);
  show(name);
  drawer.focus({ preventScroll: matchMedia("(min-width: 60rem)").matches });
}

function close() {
  const address = new URL(location.href);
  const name = open;
  address.searchParams.delete("step");
  history.pushState(null, "", address);
  show("");
  linkOf(name)?.focus({ preventScroll: true });
}

/** The link that opened the step, or, when its row was drawn anew meanwhile, the one that stands there now. */
function linkOf(name) {
  if (opener?.isConnected && opener.dataset.step === name) return opener;
  return document.querySelector(`main a[data-step="${CSS.escape(name)}"]`);
}

function show(name) {
  open = name;
  drawer.hidden = !name;
  mark();
  if (!name) return;
  title.textContent = name;
  body.replaceChildren("Loading…");
  load(name);
}

/** The link of the step that is open says so. */
export function mark(area = document) {
  for (const link of area.querySelectorAll("a[data-step]")) {
    if (link.dataset.step === open) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
}

async function load(name) {
  const mine = ++asked;
  const address = new URL(drawer.dataset.stepAddress, location.href);
  address.searchParams.set("name", name);
  address.searchParams.set("part", "drawer");
  try {
    const answer = await fetch(address);
    const text = await answer.text();
    if (mine !== asked || open !== name) return;
    if (answer.status === 404) body.replaceChildren("This step is not recorded yet. It appears here as soon as it is.");
    else if (!answer.ok) throw new Error(answer.statusText);
    else put(text);
  } catch {
    if (mine === asked) body.replaceChildren("This step could not be loaded. Choose it again.");
  }
}

function put(text) {
  const kept = [...body.querySelectorAll("details")].map((one) => one.open);
  body.replaceChildren(...new DOMParser().parseFromString(text, "text/html").body.childNodes);
  const now = [...body.querySelectorAll("details")];
  if (kept.length === now.length) now.forEach((one, place) => (one.open = kept[place]));
  tick(body);
}

subscribe((state, events) => {
  if (!open || !events.some((event) => event.step === open)) return;
  again ||= setTimeout(() => {
    again = 0;
    if (open) load(open);
  }, AGAIN);
});
mark();
