/**
 * A `fetch` for the official client, which does not reconnect by itself: what it reads is one body, however often the
 * connection under it was cut. Ids of events are read here and sent back as `Last-Event-ID`.
 */
const TERMINAL = /"type": ?"RUN_(FINISHED|ERROR)"/;

export async function resumingFetch(url, init) {
  const first = await fetch(url, init);
  if (!first.ok || !first.headers.get("content-type")?.startsWith("text/event-stream")) return first;
  return new Response(ReadableStream.from(frames(url, init, first)), { status: first.status, headers: first.headers });
}

async function* frames(url, init, response) {
  let last;
  for (;;) {
    for await (const frame of wholeFrames(response.body)) {
      yield new TextEncoder().encode(frame);
      last = /^id: (.+)$/m.exec(frame)?.[1] ?? last;
      if (TERMINAL.test(frame)) return;
    }
    if (last === undefined) throw new Error("the stream was cut before its first event");
    response = await fetch(url, { ...init, headers: { ...init.headers, "Last-Event-ID": last } });
    if (!response.ok) throw new Error(`HTTP ${response.status}: ${await response.text()}`);
  }
}

/** Those that came as a whole, until the body ends or breaks. */
async function* wholeFrames(body) {
  let waiting = "";
  const decoder = new TextDecoder();
  try {
    for await (const bytes of body) {
      const parts = (waiting + decoder.decode(bytes, { stream: true })).split("\n\n");
      waiting = parts.pop();
      for (const part of parts) yield `${part}\n\n`;
    }
  } catch (error) {
    if (error.name === "AbortError") throw error;
  }
}
