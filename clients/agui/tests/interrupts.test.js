import assert from "node:assert/strict";
import { test } from "node:test";

import { call, newId } from "./environment.js";
import { Talk, withEach } from "./talk.js";

const approve = () => ({ status: "resolved", payload: { approved: true } });

withEach((generation, client) => {
  async function asked(text = "Write to Ada", options = {}) {
    const talk = new Talk(generation, options);
    const run = await talk.say(text);
    assert.equal(run.last.outcome?.type, "interrupt", JSON.stringify(run.last));
    return { talk, run };
  }

  test(`${client}: a call that needs approval interrupts, with what may be answered`, async () => {
    const { talk, run } = await asked();
    const [interrupt] = talk.interrupts;
    const [start] = run.of("TOOL_CALL_START");
    assert.deepEqual([talk.interrupts.length, interrupt.reason], [1, "tool_call"]);
    assert.equal(interrupt.toolCallId, start.toolCallId);
    assert.equal(interrupt.responseSchema.properties.approved.type, "boolean");
    assert.ok(interrupt.responseSchema.required.includes("approved"));
    assert.ok(interrupt.responseSchema.properties.editedArgs);
    assert.deepEqual(run.of("TOOL_CALL_RESULT"), []);
  });

  test(`${client}: approved, the call is made and the answer follows in a run of its own`, async () => {
    const { talk, run } = await asked();
    const { toolCallId } = talk.interrupts[0];
    const next = await talk.answer(approve);
    assert.notEqual(next.runId, run.runId);
    assert.deepEqual(next.of("TOOL_CALL_START"), []);
    assert.deepEqual(next.of("TOOL_CALL_RESULT").map((event) => event.toolCallId), [toolCallId]);
    assert.equal(talk.said, "Told: sent to Ada: Dear Ada");
    assert.deepEqual(talk.interrupts, []);
    assert.deepEqual(talk.transcript.map(([role]) => role), ["user", "assistant", "tool", "assistant"]);
  });

  test(`${client}: denied, nothing is sent and the model is told why`, async () => {
    const { talk } = await asked();
    const next = await talk.answer(() => ({ status: "resolved", payload: { approved: false, reason: "not today" } }));
    assert.match(next.of("TOOL_CALL_RESULT")[0].content, /denied.*not today/);
    assert.match(talk.said, /^Told: denied.*not today/);
  });

  test(`${client}: edited, the call is made with the new arguments and the result says so`, async () => {
    const { talk } = await asked();
    const editedArgs = { to: "Grace", text: "Dear Grace" };
    await talk.answer(() => ({ status: "resolved", payload: { approved: true, editedArgs } }));
    assert.match(talk.said, /sent to Grace: Dear Grace/);
    assert.match(talk.said, /changed the arguments/);
  });

  test(`${client}: cancelled, the call is denied and the run goes on`, async () => {
    const { talk } = await asked();
    await talk.answer(() => ({ status: "cancelled" }));
    assert.match(talk.said, /denied.*Cancelled by user/);
  });

  test(`${client}: two interrupts at once are answered each in its own way`, async () => {
    const { talk, run } = await asked("Write to Ada and Grace");
    assert.equal(talk.interrupts.length, 2);
    assert.equal(new Set(talk.interrupts.map((one) => one.id)).size, 2);
    const ids = run.of("TOOL_CALL_START").map((event) => event.toolCallId);
    assert.deepEqual(new Set(talk.interrupts.map((one) => one.toolCallId)), new Set(ids));
    const next = await talk.answer((one) => ({ status: "resolved", payload: { approved: one.toolCallId === ids[0] } }));
    const results = Object.fromEntries(next.of("TOOL_CALL_RESULT").map((event) => [event.toolCallId, event.content]));
    assert.equal(results[ids[0]], "sent to Ada: Dear Ada");
    assert.match(results[ids[1]], /denied/);
    assert.equal(talk.said, "Both are settled.");
  });

  test(`${client}: of two interrupts the one that is answered is settled, and the other is asked again`, async () => {
    const { talk } = await asked("Write to Ada and Grace");
    const [first, second] = talk.interrupts;
    const resume = [{ interruptId: first.id, status: "resolved", payload: { approved: true } }];
    talk.agent.pendingInterrupts = [first]; // the client itself would refuse to leave one out
    const next = await talk.run({ resume });
    assert.equal(next.last.outcome.type, "interrupt");
    assert.deepEqual(talk.interrupts.map((one) => one.id), [second.id]);
    await talk.answer(approve);
    assert.equal(talk.said, "Both are settled.");
  });

  test(`${client}: the same answer twice is one answer, and another one is refused`, async () => {
    const { talk } = await asked();
    const [{ id }] = talk.interrupts;
    await talk.answer(approve);
    const again = new Talk(generation, { threadId: talk.threadId });
    const resume = [{ interruptId: id, status: "resolved", payload: { approved: false } }];
    const body = { threadId: talk.threadId, runId: newId(), messages: [], tools: [], context: [], state: {}, resume };
    const refused = await call("/ag-ui/run", { method: "POST", body, status: 409 });
    assert.equal(refused.error.code, "INTERRUPT_ANSWERED");
    await again.say("What did I say");
    assert.equal(again.said, "You said: Write to Ada; What did I say");
  });

  test(`${client}: a run may be resumed under its own id, with the answer as a tool message before it`, async () => {
    const { talk, run } = await asked();
    const [{ toolCallId }] = talk.interrupts;
    const content = JSON.stringify({ approved: true });
    talk.agent.messages = [{ id: newId(), role: "tool", toolCallId, content }, ...talk.agent.messages];
    const next = await talk.answer(approve, { runId: run.runId });
    assert.equal(next.error, undefined);
    assert.equal(talk.said, "Told: sent to Ada: Dear Ada");
  });

  test(`${client}: a new message while an answer is awaited is refused, and the interrupt stays`, async () => {
    const { talk } = await asked();
    const other = new Talk(generation, { threadId: talk.threadId });
    other.agent.addMessage({ id: newId(), role: "user", content: "Say hello" });
    await assert.rejects(other.agent.runAgent({ forwardedProps: other.props }), /409/);
    await talk.answer(approve);
    assert.equal(talk.said, "Told: sent to Ada: Dear Ada");
  });

  test(`${client}: an input that a job asks for is given as its schema says, or withdrawn`, async () => {
    const { talk } = await asked("Tell me", { job: "client-question" });
    const [{ reason, responseSchema }] = talk.interrupts;
    assert.equal(reason, "input_required");
    assert.equal(responseSchema.properties.city.type, "string");
    await talk.answer(() => ({ status: "resolved", payload: { city: "Turin" } }));
    assert.equal(talk.said, "In Turin");
    const other = await asked("Tell me", { job: "client-question" });
    const ended = await other.talk.answer(() => ({ status: "cancelled" }));
    assert.equal(other.talk.said, "Nowhere");
    assert.equal(ended.last.type, "RUN_FINISHED");
  });
});
