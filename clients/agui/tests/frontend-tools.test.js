import assert from "node:assert/strict";
import { test } from "node:test";

import { newId } from "./environment.js";
import { Talk, withEach } from "./talk.js";

const colour = { type: "object", properties: { colour: { type: "string" } }, required: ["colour"] };
const tools = [{ name: "set_colour", description: "Set the page's colour.", parameters: colour }];

withEach((generation, client) => {
  test(`${client}: a frontend's tool is called by nobody but the frontend, and its result goes on`, async () => {
    const talk = new Talk(generation);
    const run = await talk.say("Make it green", { tools });
    const [start] = run.of("TOOL_CALL_START");
    assert.equal(start.toolCallName, "set_colour");
    assert.deepEqual(run.of("TOOL_CALL_RESULT"), []);
    assert.notEqual(run.last.outcome?.type, "interrupt");
    assert.deepEqual(run.last.outcome?.pendingToolCallIds, generation.older ? undefined : [start.toolCallId]);
    talk.agent.addMessage({ id: newId(), role: "tool", toolCallId: start.toolCallId, content: "it is green now" });
    await talk.run({ tools });
    assert.equal(talk.said, "The page says: it is green now.");
  });

  test(`${client}: beside it the server's own tool is called`, async () => {
    const talk = new Talk(generation);
    const run = await talk.say("Add 1 and 2 and make it red", { tools });
    const calls = Object.fromEntries(run.of("TOOL_CALL_START").map((event) => [event.toolCallName, event.toolCallId]));
    assert.deepEqual(run.of("TOOL_CALL_RESULT").map((event) => [event.toolCallId, event.content]), [[calls.add, "3"]]);
    talk.agent.addMessage({ id: newId(), role: "tool", toolCallId: calls.set_colour, content: "red" });
    await talk.run({ tools });
    assert.equal(talk.said, "Done: red.");
  });

  test(`${client}: who goes on without the result is answered all the same`, async () => {
    const talk = new Talk(generation);
    await talk.say("Make it green", { tools });
    await talk.say("Say hello", { tools });
    assert.equal(talk.said, "Hello from a durable run.");
  });
});
