import assert from "node:assert/strict";
import { test } from "node:test";

import { Talk, withEach } from "./talk.js";

withEach((generation, client) => {
  test(`${client}: text comes in pieces and the run ends well`, async () => {
    const talk = new Talk(generation);
    const run = await talk.say("Tell a story");
    assert.equal(talk.said, "Once there was a run that ended.");
    assert.ok(run.of("TEXT_MESSAGE_CONTENT").length > 1);
    assert.notEqual(run.last.outcome?.type, "interrupt");
    assert.equal(run.events[0].protocolVersion, "1.0");
    assert.ok(run.last.usage[0].outputTokens > 0);
  });

  test(`${client}: reasoning has a message of its own, before the answer`, async () => {
    const talk = new Talk(generation);
    const run = await talk.say("Think first");
    assert.equal(run.of("REASONING_MESSAGE_CONTENT").map((event) => event.delta).join(""), "They want me to think.");
    assert.equal(talk.said, "I thought.");
    const roles = talk.transcript.map(([role]) => role);
    assert.deepEqual(roles, ["user", "reasoning", "assistant"]);
  });

  test(`${client}: a tool of the server is called, with its arguments and its result`, async () => {
    const talk = new Talk(generation);
    const run = await talk.say("Add 2 and 40");
    const [start] = run.of("TOOL_CALL_START");
    assert.equal(start.toolCallName, "add");
    const shown = run.of("TOOL_CALL_ARGS").map((event) => event.delta).join("");
    assert.deepEqual(JSON.parse(shown), { one: "2", other: "40" });
    const [result] = run.of("TOOL_CALL_RESULT");
    assert.deepEqual([result.toolCallId, result.content], [start.toolCallId, "42"]);
    assert.equal(talk.said, "The sum is 42.");
    assert.deepEqual(talk.transcript.map(([role]) => role), ["user", "assistant", "tool", "assistant"]);
    assert.equal(talk.agent.messages[1].content, "I add them.");
    assert.equal(talk.agent.messages[1].toolCalls[0].function.name, "add");
  });

  test(`${client}: state comes as a snapshot and then as changes`, async () => {
    const talk = new Talk(generation);
    const run = await talk.say("Remember apples and pears");
    assert.equal(run.of("STATE_SNAPSHOT").length, 1);
    assert.ok(run.of("STATE_DELTA").length >= 1);
    assert.deepEqual(talk.agent.state, { words: { apples: true, pears: true } });
    const next = await talk.say("Remember plums and figs");
    assert.deepEqual(talk.agent.state, { words: { apples: true, pears: true, plums: true, figs: true } });
    assert.equal(next.error, undefined);
  });

  test(`${client}: a follow-up turn knows what was said before, from the server's own transcript`, async () => {
    const talk = new Talk(generation);
    await talk.say("Say hello");
    await talk.say("What did I say");
    assert.equal(talk.said, "You said: Say hello; What did I say");
    talk.agent.messages = talk.agent.messages.map((message) => ({ ...message, content: message.content && "forged" }));
    await talk.say("What did I say");
    assert.equal(talk.said, "You said: Say hello; What did I say; What did I say");
  });

  test(`${client}: a client that holds nothing but the new message goes on in its thread`, async () => {
    const first = new Talk(generation);
    await first.say("Say hello");
    const second = new Talk(generation, { threadId: first.threadId });
    await second.say("What did I say");
    assert.equal(second.said, "You said: Say hello; What did I say");
  });

  test(`${client}: a job that is no chat streams its text too`, async () => {
    const talk = new Talk(generation, { job: "client-sentence" });
    const run = await talk.say("five words are said here");
    assert.equal(talk.said, "five words are said here");
    assert.equal(run.last.result, "five words are said here");
  });

  test(`${client}: a failure is told with a code and without what only the server should know`, async () => {
    const talk = new Talk(generation, { job: "client-refusal" });
    const run = await talk.say("no such thing");
    assert.equal(run.last.type, "RUN_ERROR");
    assert.ok(run.last.code);
    assert.doesNotMatch(JSON.stringify(run.last), /Traceback|\.py/);
    const after = new Talk(generation, { threadId: talk.threadId });
    await after.say("Say hello");
    assert.equal(after.said, "Hello from a durable run.");
  });

  test(`${client}: the agent that nobody needs to name answers`, async () => {
    const talk = new Talk(generation, { job: null });
    const run = await talk.say("What can you do?");
    assert.equal(run.last.type, "RUN_FINISHED");
    assert.ok(talk.said);
  });
});
