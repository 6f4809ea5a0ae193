import assert from "node:assert/strict";
import { after, test } from "node:test";

import { ChatClient, webSocket } from "@tanstack/ai-client";

import { HEADERS, JOB, newId, SERVER, until } from "./environment.js";
import { textOf } from "./talk.js";

const STORY = "Once there was a run that ended.";
const sockets = [];

/** It says who it is before anything else; a browser's has its session's cookie. */
class Socket extends WebSocket {
  constructor(url) {
    super(url);
    const token = HEADERS.Authorization.replace("Bearer ", "");
    this.addEventListener("open", () => this.send(JSON.stringify({ type: "auth", token })));
    sockets.push(this);
  }
}

after(() => sockets.forEach((socket) => socket.close()));

function connection() {
  return webSocket(`${SERVER.replace("http", "ws")}/ag-ui/ws`, { WebSocketImpl: Socket, body: { job: JOB }, reconnect: { delayMs: 5 } });
}

function lastText(client) {
  return client.getMessages().at(-1)?.parts.findLast((part) => part.type === "text")?.content;
}

test("a conversation over one socket has many turns", async () => {
  const before = sockets.length;
  const client = new ChatClient({ connection: connection(), threadId: newId() });
  await client.sendMessage("Say hello");
  assert.equal(lastText(client), "Hello from a durable run.");
  await client.sendMessage("Add 2 and 40");
  assert.equal(lastText(client), "The sum is 42.");
  assert.equal(sockets.length - before, 1);
  client.dispose();
});

test("a socket that closes in the midst of an answer is opened again, and nothing is lost", async () => {
  const before = sockets.length;
  const client = new ChatClient({ connection: connection(), threadId: newId() });
  const saying = client.sendMessage("Tell a story");
  await until(() => lastText(client)?.startsWith("Once"), "beginning of the story");
  sockets.at(-1).close();
  await saying;
  await until(() => lastText(client) === STORY, "end of the story");
  assert.ok(sockets.length - before > 1);
  client.dispose();
});

test("a run is joined over a socket of its own, which closes when all is said", async () => {
  const runId = newId();
  const sender = connection();
  const heard = sender.subscribe()[Symbol.asyncIterator]();
  await sender.send([{ id: newId(), role: "user", parts: [{ type: "text", content: "Tell a story" }] }], {}, undefined, { threadId: newId(), runId });
  await heard.next();
  const events = [];
  for await (const event of connection().joinRun(runId)) events.push(event);
  assert.equal(textOf(events), STORY);
  assert.equal(events.at(-1).type, "RUN_FINISHED");
});
