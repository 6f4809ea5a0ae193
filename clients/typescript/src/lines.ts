/** The whole lines of a body. One that the connection's end cut is dropped: it will be sent again. */
export async function* linesOf(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let rest = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      const parts = (rest + decoder.decode(value, { stream: true })).split("\n");
      rest = parts.pop() ?? "";
      yield* parts.filter((line) => line.trim() !== "");
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}
