import assert from "node:assert/strict";
import { after, test } from "node:test";

import { verifyEvents } from "@ag-ui/client";
import { ChatClient, fetchServerSentEvents, webSocket } from "@tanstack/ai-client";
import { from, lastValueFrom, toArray } from "rxjs";

import { CUTTING, HEADERS, JOB, newId, SERVER, until } from "./environment.js";
import { textOf } from "./talk.js";

const STORY = "Once there was a run that ended.";
const THOUGHT = "Something short.";
const WAYS = ["", "m", "e"]; // broken between two events, broken within one, ended as if it was whole
const AT_ONCE = 6;

const open = [];
after(() => open.forEach((client) => client.dispose()));

function connection(cuts, url = SERVER) {
  const headers = cuts ? { ...HEADERS, "X-Cut": `${newId()} ${cuts}` } : HEADERS;
  return fetchServerSentEvents(`${cuts ? CUTTING : url}/ag-ui/run`, { headers, reconnect: { delayMs: 5 } });
}

function saying(text) {
  return [{ id: newId(), role: "user", parts: [{ type: "text", content: text }] }];
}

async function all(chunks) {
  const found = [];
  for await (const chunk of chunks) found.push(chunk);
  return found;
}

function tell(cuts, context = {}) {
  const ids = { threadId: newId(), runId: newId(), ...context };
  return all(connection(cuts).connect(saying("Tell a story"), { job: JOB }, undefined, ids));
}

/** What came is a legal stream, as the official client checks it, and says everything once. */
async function checkStory(events) {
  const types = events.map((event) => event.type);
  assert.equal(types.filter((type) => type === "RUN_STARTED").length, 1, "no run was started again");
  const end = types.indexOf("RUN_FINISHED");
  await lastValueFrom(from(events.slice(0, end + 1)).pipe(verifyEvents(), toArray()));
  assert.equal(textOf(events), STORY);
  const thoughts = events.filter((event) => event.type === "REASONING_MESSAGE_CONTENT");
  assert.equal(thoughts.map((event) => event.delta).join(""), THOUGHT);
}

async function inBatches(items, act) {
  for (let at = 0; at < items.length; at += AT_ONCE) await Promise.all(items.slice(at, at + AT_ONCE).map(act));
}

const positions = (count) => Array.from({ length: count }, (_, index) => index + 1);

test("a live stream that is cut behind any event, in any way, is taken up again and says the same", async () => {
  const whole = await tell();
  await checkStory(whole);
  await inBatches(positions(whole.length), async (position) => {
    await checkStory(await tell(`${position}${WAYS[position % WAYS.length]}`));
  });
});

test("a stream that is cut behind every event says the same", async () => {
  for (const way of WAYS) await checkStory(await tell(Array(60).fill(`1${way}`).join(",")));
});

test("a run that is joined, cut behind any event and in every way, says the same", async () => {
  const runId = newId();
  await tell("", { runId });
  const whole = await all(connection().joinRun(runId));
  await checkStory(whole);
  for (const way of WAYS) {
    await inBatches(positions(whole.length), async (position) => {
      await checkStory(await all(connection(`${position}${way}`).joinRun(runId)));
    });
  }
});

test("whoever joins a live run hears it from the beginning to the end", async () => {
  const context = { threadId: newId(), runId: newId() };
  const telling = connection().connect(saying("Tell a story"), { job: JOB }, undefined, context);
  const first = await telling.next();
  assert.equal(first.value.type, "RUN_STARTED");
  const joined = positions(3).map(() => all(connection().joinRun(context.runId)));
  await checkStory([first.value, ...(await all(telling))]);
  for (const events of await Promise.all(joined)) await checkStory(events);
});

test("a run that nobody knows cannot be joined", async () => {
  await assert.rejects(all(connection().joinRun(newId())), /404/);
});

function chat(threadId, options = {}) {
  const client = new ChatClient({ connection: connection(options.cuts), threadId, forwardedProps: { job: JOB }, ...options });
  open.push(client);
  return client;
}

/** Roles and parts without what differs from run to run. */
function shown(client) {
  return client.getMessages().map(({ role, parts }) => [role, parts.map((part) => [part.type, part.content ?? part.name])]);
}

const HEARD = [
  ["user", [["text", "Tell a story"]]],
  ["assistant", [["thinking", THOUGHT], ["text", STORY]]],
];

function withoutThoughts(messages) {
  return messages.map(([role, parts]) => [role, parts.filter(([type]) => type !== "thinking")]).filter(([, parts]) => parts.length);
}

test("the chat shows a cut stream as it shows a whole one", async () => {
  const [plain, cut] = [chat(newId()), chat(newId(), { cuts: Array(60).fill("2").join(",") })];
  for (const client of [plain, cut]) {
    await client.sendMessage("Tell a story");
    assert.equal(client.getError?.(), undefined);
    assert.deepEqual(withoutThoughts(shown(client)), withoutThoughts(HEARD));
  }
  assert.deepEqual(shown(cut), shown(plain));
});

test("a page that opens a thread is given what was said, its tools' results and its state of affairs", async () => {
  const threadId = newId();
  await chat(threadId).sendMessage("Add 2 and 40");
  const page = chat(threadId, { persistence: true });
  page.attach();
  await until(() => page.getMessages().length > 1, "message of the thread");
  const messages = page.getMessages();
  assert.equal(messages[0].parts[0].content, "Add 2 and 40");
  const parts = messages.flatMap((message) => (message.role === "assistant" ? message.parts : []));
  const called = parts.find((part) => part.type === "tool-call");
  assert.deepEqual([called.name, JSON.parse(called.arguments)], ["add", { one: "2", other: "40" }]);
  assert.equal(parts.find((part) => part.type === "tool-result").content, "42");
  assert.equal(parts.filter((part) => part.type === "text").at(-1).content, "The sum is 42.");
});

test("a page that opens a thread in the midst of a run hears it to the end", async () => {
  const threadId = newId();
  const telling = chat(threadId).sendMessage("Tell a story");
  const page = await until(async () => {
    const { activeRun } = await connection().hydrate(threadId).catch(() => ({}));
    return activeRun ? chat(threadId, { persistence: true }) : undefined;
  }, "live run");
  page.attach();
  await until(() => JSON.stringify(shown(page)).includes(STORY), "end of the story");
  await telling;
  assert.deepEqual(withoutThoughts(shown(page)), withoutThoughts(HEARD));
});

test("a thread that waits tells the page what for", async () => {
  const threadId = newId();
  await chat(threadId).sendMessage("Write to Ada");
  const { interrupts, activeRun } = await connection().hydrate(threadId);
  assert.equal(activeRun, null);
  assert.deepEqual(interrupts.pending.map((one) => one.reason), ["tool_call"]);
});

test("an approval is given in the chat", async () => {
  const client = chat(newId());
  await client.sendMessage("Write to Ada");
  const [interrupt] = client.getInterrupts();
  assert.equal(interrupt.canResolve, true);
  interrupt.resolveInterrupt({ approved: true });
  await until(() => JSON.stringify(shown(client)).includes("Told: sent to Ada"), "answer");
  assert.deepEqual(client.getInterrupts(), []);
});

test("an approval is given on a page that opens the thread later", async () => {
  const threadId = newId();
  await chat(threadId).sendMessage("Write to Ada");
  const page = chat(threadId, { persistence: true });
  page.attach();
  const [interrupt] = await until(() => page.getInterrupts().length && page.getInterrupts(), "interrupt");
  interrupt.resolveInterrupt({ approved: false, reason: "not today" });
  await until(() => JSON.stringify(shown(page)).includes("not today"), "answer");
});
