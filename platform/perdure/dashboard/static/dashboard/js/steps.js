/** The steps of a run by name, in their order; never changed: `set` gives another one, which shares what is the same. */

/** How many changed steps stand beside the others before they are put among them: a copy of thousands for each event
    would take the page's time. */
const BESIDE = 64;

export class Steps {
  /** @param {Iterable<[string, object]>} entries */
  constructor(entries = []) {
    this.settled = new Map(entries);
    this.recent = new Map();
    this.size = this.settled.size;
  }

  get(name) {
    return this.recent.get(name) ?? this.settled.get(name);
  }

  has(name) {
    return this.recent.has(name) || this.settled.has(name);
  }

  /** @returns {Steps} with this step in the place of the one of its name, or after all others */
  set(name, step) {
    const next = Object.create(Steps.prototype);
    const recent = new Map(this.recent).set(name, step);
    const isFull = recent.size > BESIDE;
    next.settled = isFull ? new Map([...this.settled, ...recent]) : this.settled;
    next.recent = isFull ? new Map() : recent;
    next.size = this.size + (this.has(name) ? 0 : 1);
    return next;
  }

  *[Symbol.iterator]() {
    for (const [name, step] of this.settled) yield [name, this.recent.get(name) ?? step];
    for (const [name, step] of this.recent) if (!this.settled.has(name)) yield [name, step];
  }

  *values() {
    for (const [, step] of this) yield step;
  }
}
