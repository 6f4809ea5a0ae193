/** JSON values as nodes of a tree; the same looks as `values/json_tree.py` gives them. */

const CHUNK = 100;
const LONG = 240;
const UNSAFE = /\\(\\|u003C|u003E|u0026)/g;

/** What `str.isprintable` calls not printable, but what lays a text out. */
const UNSEEN = /[^\P{C}\n\t]|[^\P{Z} ]/gu;

/** A text in which signs that nobody sees, or that turn text round, are spelt: who approves it sees all of it. */
export function spelt(text) {
  const code = (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
  return text.replace(UNSEEN, (sign) => sign.split("").map(code).join(""));
}

/** A number that a JavaScript number would round. */
class Exact {
  constructor(source) {
    this.source = source;
  }

  toJSON() {
    return this.source;
  }
}

/** @param {string} source what the server wrote into the script element */
export function readSource(source) {
  const text = source.replace(UNSAFE, (whole, what) => (what === "\\" ? whole : String.fromCharCode(parseInt(what.slice(1), 16))));
  const value = JSON.parse(source, (_key, inner, context) => {
    if (typeof inner !== "number" || !context?.source || !Number.isInteger(inner) || Number.isSafeInteger(inner)) return inner;
    return new Exact(context.source);
  });
  return { text, value };
}

export function valueAt(value, path) {
  return path.reduce((inner, key) => inner?.[key], value);
}

function isNode(value) {
  return typeof value === "object" && value !== null && !(value instanceof Exact) && Object.keys(value).length > 0;
}

/**
 * The children of a value, or the whole of a long text; more than 100 come as ranges that open further.
 * @param {Array<string | number>} path of `value` @param {[number, number] | null} range of its children
 */
export function drawChildren(value, path, range) {
  if (typeof value === "string") return [make("pre", "", spelt(value))];
  const keys = Array.isArray(value) ? null : Object.keys(value);
  const [from, to] = range ?? [0, keys ? keys.length : value.length];
  if (to - from > CHUNK) return ranges(path, from, to);
  return Array.from({ length: to - from }, (_, place) => {
    const key = keys ? keys[from + place] : from + place;
    return draw([...path, key], key, value[key]);
  });
}

function ranges(path, from, to) {
  let size = CHUNK;
  while ((to - from) / size > CHUNK) size *= CHUNK;
  const nodes = [];
  for (let start = from; start < to; start += size) {
    const end = Math.min(to, start + size);
    const node = details(path, make("span", "json-count", `${start} … ${end - 1}`));
    node.dataset.from = String(start);
    node.dataset.to = String(end);
    nodes.push(node);
  }
  return nodes;
}

function draw(path, key, value) {
  const name = make("span", "json-key", spelt(String(key)));
  if (isNode(value)) return details(path, name, make("span", "json-count", count(value)));
  if (typeof value === "string" && value.length > LONG) {
    const start = make("span", "json-string", `${spelt(JSON.stringify(value.slice(0, 80))).slice(0, -1)}…`);
    const node = details(path, name, start, " ", make("span", "json-count", `${value.length.toLocaleString("en")} characters`));
    node.classList.add("json-long");
    return node;
  }
  const leaf = make("div", "json-leaf");
  leaf.append(name, make("span", `json-${kind(value)}`, value instanceof Exact ? value.source : spelt(JSON.stringify(value))));
  return leaf;
}

function details(path, ...inSummary) {
  const node = make("details", "json-node");
  node.dataset.path = JSON.stringify(path);
  const summary = make("summary", "");
  summary.append(...inSummary);
  node.append(summary, make("div", "json-children"));
  return node;
}

function count(value) {
  const length = Array.isArray(value) ? value.length : Object.keys(value).length;
  const unit = Array.isArray(value) ? ["item", "items"] : ["key", "keys"];
  return `${length.toLocaleString("en")} ${unit[Number(length !== 1)]}`;
}

function kind(value) {
  if (value === null || typeof value === "boolean") return "word";
  if (typeof value === "string") return "string";
  return typeof value === "number" || value instanceof Exact ? "number" : "empty";
}

/** Keys and values that contain `words`, whatever their case, the first `limit` of them. */
export function searchValue(value, words, limit) {
  const found = [];
  const wanted = words.toLowerCase();
  const stack = [{ path: [], value }];
  while (stack.length && found.length < limit) {
    const { path, value: inner } = stack.pop();
    const open = isNode(inner);
    const text = open ? count(inner) : inner instanceof Exact ? inner.source : String(typeof inner === "string" ? inner : JSON.stringify(inner));
    const isKey = path.length && String(path.at(-1)).toLowerCase().includes(wanted);
    const at = open ? -1 : text.toLowerCase().indexOf(wanted);
    if (isKey || at >= 0) found.push({ path, text: spelt(excerpt(text, Math.max(at, 0))) });
    if (!open) continue;
    for (const key of Object.keys(inner).reverse()) stack.push({ path: [...path, Array.isArray(inner) ? Number(key) : key], value: inner[key] });
  }
  return found;
}

function excerpt(text, at) {
  const start = Math.max(0, at - 40);
  return `${start ? "…" : ""}${text.slice(start, start + 120)}${text.length > start + 120 ? "…" : ""}`;
}

function make(tag, className, text) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
}
