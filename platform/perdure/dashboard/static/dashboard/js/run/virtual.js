/** A long list of which only the rows in sight stand in the page; it scrolls with the page. */

/** Rows beyond the edges of the window, so that Tab finds the next one there. */
const BESIDE = 12;

export class VirtualList {
  /**
   * @param {HTMLElement} list its rows are all of one height
   * @param {{make: () => HTMLElement, fill: (row: HTMLElement, item: any) => void}} rows `fill` is called for a row
   *   that shows another item than before
   */
  constructor(list, rows) {
    this.list = list;
    this.rows = rows;
    this.items = null;
    this.shown = new Map();
    this.planned = 0;
    addEventListener("scroll", () => this.#plan(), { passive: true });
    addEventListener("resize", () => this.redraw());
  }

  /** Shows these items; those that are the same objects as before keep their rows. */
  show(items) {
    this.items = items;
    this.#draw();
  }

  /** Fills every row in sight anew. */
  redraw() {
    this.height = 0;
    for (const one of this.shown.values()) one.item = undefined;
    this.#draw();
  }

  #plan() {
    this.planned ||= requestAnimationFrame(() => this.#draw());
  }

  /** Until the items are known, the rows that the server has drawn stay, however the reader scrolls and turns. */
  #draw() {
    this.planned = 0;
    if (!this.items) return;
    this.height ||= this.#measure();
    const top = this.list.getBoundingClientRect().top;
    const first = Math.max(0, Math.floor(-top / this.height) - BESIDE);
    const last = Math.min(this.items.length, Math.ceil((innerHeight - top) / this.height) + BESIDE);
    this.#place(Math.min(first, Math.max(0, last - 1)), Math.max(last, 0));
  }

  #place(first, last) {
    const free = [];
    for (const [index, one] of this.shown) {
      if (index >= first && index < last) continue;
      this.shown.delete(index);
      free.push(one);
    }
    for (let index = first; index < last; index += 1) {
      const one = this.shown.get(index) ?? free.pop() ?? { row: this.rows.make() };
      this.shown.set(index, one);
      if (one.item !== this.items[index]) {
        one.item = this.items[index];
        this.rows.fill(one.row, one.item);
      }
      one.row.setAttribute("aria-posinset", index + 1);
      one.row.setAttribute("aria-setsize", this.items.length);
    }
    const rows = [];
    for (let index = first; index < last; index += 1) rows.push(this.shown.get(index).row);
    this.#arrange(rows);
    this.list.style.paddingTop = `${first * this.height}px`;
    this.list.style.paddingBottom = `${Math.max(0, this.items.length - last) * this.height}px`;
  }

  /** A row that stays is not touched: moving it would take the focus from its link. The server's rows leave at first. */
  #arrange(rows) {
    const focused = this.list.contains(document.activeElement) && document.activeElement.closest("[data-step]")?.dataset.step;
    const wanted = new Set(rows);
    for (const row of [...this.list.children]) if (!wanted.has(row)) row.remove();
    let before = null;
    for (const row of rows) {
      const next = before ? before.nextSibling : this.list.firstChild;
      if (next !== row) this.list.insertBefore(row, next);
      before = row;
    }
    if (focused && !this.list.contains(document.activeElement)) {
      this.list.querySelector(`[data-step="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
    }
  }

  #measure() {
    const row = this.rows.make();
    this.list.append(row);
    const { height } = row.getBoundingClientRect();
    row.remove();
    return height || 1;
  }
}
