/**
 * A text that grows, megabytes perhaps: what comes is appended as text, and nothing that stands is touched again. It
 * goes into blocks of some thousand characters, and the browser lays out those in sight alone.
 */

import { diffLines } from "../frames.js";

const BLOCK = 8_000;
/** A line as long as this is cut. */
const LONGEST = 64_000;

export class LiveText {
  /** @param {HTMLElement} place a `pre` that may scroll; it is emptied */
  constructor(place) {
    this.place = place;
    this.clear();
  }

  clear() {
    this.length = 0;
    this.size = 0;
    this.block = null;
    this.isDiff = false;
    this.place.replaceChildren();
    this.place.classList.remove("diff");
  }

  /** @param {string} text what came since the last call */
  append(text, isDiff = false) {
    if (!text) return;
    const follows = this.place.scrollHeight - this.place.scrollTop - this.place.clientHeight < 40;
    this.length += text.length;
    this.isDiff = isDiff;
    this.place.classList.toggle("diff", isDiff);
    if (isDiff) this.place.append(...diffLines(text).map(makeLine));
    else this.#addPieces(text);
    if (follows) this.place.scrollTop = this.place.scrollHeight;
  }

  #addPieces(text) {
    let rest = text;
    while (rest) {
      if (!this.block) this.#openBlock();
      const end = this.#endOfBlock(rest);
      const piece = end < 0 ? rest : rest.slice(0, end);
      this.block.append(piece);
      this.size += piece.length;
      if (end >= 0) this.block = null;
      rest = rest.slice(piece.length);
    }
  }

  #openBlock() {
    this.block = document.createElement("span");
    this.block.className = "piece";
    this.size = 0;
    this.place.append(this.block);
  }

  /** Where the block ends in what comes: behind the first line that makes it full; below 0 while it is not. */
  #endOfBlock(text) {
    const at = text.indexOf("\n", Math.max(0, BLOCK - this.size));
    if (at >= 0) return at + 1;
    const most = LONGEST - this.size;
    if (text.length <= most) return -1;
    // A character of two halves stays whole.
    return /[\uD800-\uDBFF]/.test(text[most - 1]) ? most - 1 : Math.max(most, 1);
  }
}

function makeLine({ look, text }) {
  const line = document.createElement("span");
  line.className = look;
  line.textContent = `${text}\n`;
  return line;
}
