/** Streams as they come over the wire, beside what a client makes of them. */
import assert from "node:assert/strict";

import { checkEvent } from "./schemas.js";

export class Recording {
  #bodies = [];

  /** A `fetch` for a client. */
  fetch = async (url, init) => {
    const response = await fetch(url, init);
    if (!response.ok || !response.headers.get("content-type")?.startsWith("text/event-stream")) return response;
    const [theirs, ours] = response.body.tee();
    this.headers = response.headers;
    this.#bodies.push(new Response(ours).text().catch(() => null));
    return new Response(theirs, { status: response.status, headers: response.headers });
  };

  /** The events of the last whole body, each valid and each with an id of its own. */
  async events({ older = false } = {}) {
    const body = await this.#bodies.at(-1);
    assert.equal(this.headers.get("content-type"), "text/event-stream");
    return readFrames(body).map(({ event }) => (checkEvent(event, { older }), event));
  }
}

/** `[{id, event}]`. */
export function readFrames(body) {
  assert.ok(!body.includes("\r"), "lines end with LF alone");
  assert.ok(body.endsWith("\n\n"), "the last frame is whole");
  const frames = body.split("\n\n").filter((block) => block.split("\n").some((line) => line && !line.startsWith(":")));
  const found = frames.map(readFrame);
  const ids = found.map(({ id }) => id).filter((id) => id !== undefined);
  assert.equal(new Set(ids).size, ids.length, "no id comes twice");
  return found;
}

function readFrame(block) {
  const lines = block.split("\n").filter((line) => !line.startsWith(":"));
  assert.match(lines.join("\n"), /^(id: [^\n]+\n)?data: [^\n]+$/, "an id and one line of data");
  const data = lines.at(-1).slice("data: ".length);
  return { id: lines.length > 1 ? lines[0].slice("id: ".length) : undefined, event: JSON.parse(data) };
}
