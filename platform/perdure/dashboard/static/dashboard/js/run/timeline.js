/** The Timeline tab: all lanes of the run, those in sight drawn; zoomed and kept up to date. */

import { durationText } from "../page.js";
import { mark } from "./drawer.js";
import { currentState, subscribe } from "./frame.js";
import { fillLane } from "./lane.js";
import { WIDTH, moment, place, zoomed } from "./scale.js";
import { VirtualList } from "./virtual.js";

const TICKS = 5;
/** Milliseconds: how often a run at work is read again, and how often at most after events. */
const POLL = 5000;
const SOON = 1500;
const SVG = "http://www.w3.org/2000/svg";
const box = document.querySelector("[data-timeline]");
if (box) start();

function start() {
  const at = (name) => box.querySelector(`[data-at="${name}"]`);
  const list = at("lanes");
  const axis = at("axis");
  const template = document.getElementById("template-lane").content.firstElementChild;
  let data = null;
  let shown = box.dataset.zoom.split("-").map(Number);
  let timer = 0;
  let cost = 0;

  const lanes = new VirtualList(list, {
    make: () => template.cloneNode(true),
    fill: (row, lane) => {
      fillLane(row, lane, data.lanes[0][5], { segments: segments(), percent });
      mark(row);
    },
  });

  function segments() {
    return box.dataset.fold === "yes" ? data.folded : data.plain;
  }

  function percent(where) {
    return Math.min(100, Math.max(0, ((where - shown[0]) / (shown[1] - shown[0])) * 100));
  }

  async function read() {
    timer = 0;
    const began = performance.now();
    try {
      const answer = await fetch(box.dataset.rows, { headers: { Accept: "application/json" } });
      if (!answer.ok || answer.redirected) return;
      const next = await answer.json();
      cost = performance.now() - began;
      keepSame(next);
      data = next;
      draw(true);
    } catch {
      // The next event or poll reads again.
    } finally {
      if (!currentState().ended) readIn(POLL);
    }
  }

  /** A lane that has not changed stays the same object; its row is drawn anew only if the scale has. */
  function keepSame(next) {
    if (!data) return;
    next.lanes.forEach((lane, number) => {
      const before = data.lanes[number];
      if (before && JSON.stringify(before) === JSON.stringify(lane)) next.lanes[number] = before;
    });
  }

  /** A long run is read less often: its rows take the server longer. */
  function readIn(wanted) {
    clearTimeout(timer);
    timer = setTimeout(read, Math.max(wanted, cost * 10));
  }

  function draw(isAnew = false) {
    if (!data) return;
    at("pages")?.remove();
    box.querySelector('[data-at="no-steps"]')?.toggleAttribute("hidden", data.lanes.length > 1);
    drawAxis();
    lanes.show(inSight());
    if (isAnew) lanes.redraw();
  }

  function inSight() {
    if (shown[0] <= 0 && shown[1] >= WIDTH) return data.lanes;
    return data.lanes.filter(([, kind, , , , , parts]) => kind === "job" || (parts.length && isSeen(parts)));
  }

  function isSeen(parts) {
    return place(segments(), parts[parts.length - 1][2]) >= shown[0] && place(segments(), parts[0][1]) <= shown[1];
  }

  function drawAxis() {
    axis.replaceChildren(...Array.from({ length: TICKS }, (_, number) => tickMark(number)).flat());
    const folded = at("folded");
    if (folded) folded.textContent = data.folded.filter((one) => one[4]).map((one) => durationText(one[1] - one[0])).join(", ");
  }

  function tickMark(number) {
    const x = `${(number * 100) / TICKS}%`;
    const line = document.createElementNS(SVG, "line");
    for (const [name, value] of [["x1", x], ["x2", x], ["y1", "0"], ["y2", "100%"]]) line.setAttribute(name, value);
    const text = document.createElementNS(SVG, "text");
    for (const [name, value] of [["x", x], ["dx", "4"], ["y", "16"]]) text.setAttribute(name, value);
    const where = shown[0] + ((shown[1] - shown[0]) * number) / TICKS;
    text.textContent = durationText(moment(segments(), where));
    return [line, text];
  }

  function zoom(next) {
    if (!data) return;
    shown = next;
    const address = new URL(location.href);
    const isWhole = shown[0] <= 0 && shown[1] >= WIDTH;
    if (isWhole) address.searchParams.delete("zoom");
    else address.searchParams.set("zoom", shown.map((one) => String(Math.round(one * 1000) / 1000)).join("-"));
    address.searchParams.delete("page");
    history.replaceState(null, "", address);
    draw(true);
  }

  function onTool(selector, next) {
    box.querySelector(selector).addEventListener("click", (event) => {
      if (event.metaKey || event.ctrlKey || event.shiftKey) return;
      event.preventDefault();
      zoom(next());
    });
  }

  onTool("[data-zoom-in]", () => zoomed(shown, 0.5));
  onTool("[data-zoom-out]", () => zoomed(shown, 2));
  onTool("[data-zoom-whole]", () => [0, WIDTH]);
  listenToPointer(at("chart"), axis, { where, zoom, current: () => shown });

  function where(event) {
    const area = axis.getBoundingClientRect();
    const share = Math.min(1, Math.max(0, (event.clientX - area.left) / area.width));
    return shown[0] + share * (shown[1] - shown[0]);
  }

  subscribe((state, events) => {
    if (events.length && data && timer) {
      clearTimeout(timer);
      readIn(SOON);
    }
  });
  read();
}

/** Dragging along the axis shows that stretch alone; the wheel with Ctrl zooms where the pointer is. */
function listenToPointer(chart, axis, { where, zoom, current }) {
  let from = null;
  axis.addEventListener("pointerdown", (event) => {
    from = where(event);
    axis.setPointerCapture(event.pointerId);
  });
  axis.addEventListener("pointerup", (event) => {
    const to = where(event);
    if (from !== null && Math.abs(to - from) > (current()[1] - current()[0]) / 50) zoom([Math.min(from, to), Math.max(from, to)]);
    from = null;
  });
  axis.addEventListener("pointercancel", () => (from = null));
  chart.addEventListener("wheel", (event) => {
    if (!event.ctrlKey) return;
    event.preventDefault();
    zoom(zoomed(current(), event.deltaY < 0 ? 0.8 : 1.25, where(event)));
  }, { passive: false });
}
