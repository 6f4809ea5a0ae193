import assert from "node:assert/strict";
import { test } from "node:test";

import { call, until } from "./environment.js";
import { Talk, withEach } from "./talk.js";

/** A message without members that say nothing. */
const plain = ({ id, role, content = "", toolCalls = [], toolCallId }) => ({ id, role, content, toolCalls, toolCallId });

withEach((generation, client) => {
  test(`${client}: a known thread without messages is shown as it is, and nothing is run`, async () => {
    const talk = new Talk(generation);
    await talk.say("Remember apples and pears");
    const fresh = new Talk(generation, { threadId: talk.threadId });
    const run = await fresh.run();
    const types = run.events.map((event) => event.type);
    assert.deepEqual(types, ["RUN_STARTED", "STATE_SNAPSHOT", "MESSAGES_SNAPSHOT", "RUN_FINISHED"]);
    assert.deepEqual(fresh.agent.messages.map(plain), talk.agent.messages.map(plain));
    assert.deepEqual(fresh.agent.state, talk.agent.state);
    await fresh.say("What did I say");
    assert.equal(fresh.said, "You said: Remember apples and pears; What did I say");
  });

  test(`${client}: a thread that waits is shown with its interrupts, which can be answered there`, async () => {
    const talk = new Talk(generation);
    const { runId } = await talk.say("Write to Ada");
    const fresh = new Talk(generation, { threadId: talk.threadId });
    await fresh.run({ shows: runId });
    assert.deepEqual(fresh.agent.messages.map(plain), talk.agent.messages.map(plain));
    assert.deepEqual(fresh.interrupts, talk.interrupts);
    await fresh.answer(() => ({ status: "resolved", payload: { approved: true } }));
    assert.equal(fresh.said, "Told: sent to Ada: Dear Ada");
  });

  test(`${client}: an answer from the inbox goes on too, and whoever asks again is shown it`, async () => {
    const talk = new Talk(generation);
    await talk.say("Write to Ada");
    const [id] = talk.interrupts[0].id.split(".");
    const { digest } = await call(`/api/questions/${id}/`);
    await call(`/api/questions/${id}/answer/`, { method: "POST", body: { decision: "approve", digest } });
    const answered = await until(async () => {
      const fresh = new Talk(generation, { threadId: talk.threadId });
      await fresh.agent.runAgent();
      return fresh.said?.startsWith("Told") ? fresh : undefined;
    }, "answer");
    assert.equal(answered.said, "Told: sent to Ada: Dear Ada");
    assert.deepEqual(answered.interrupts, []);
  });
});
