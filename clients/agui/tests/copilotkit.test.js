/** CopilotKit's runtime, as its own client (0.0.59 of the official one) speaks to it. */
import assert from "node:assert/strict";
import { test } from "node:test";

import { call, JOB, newId } from "./environment.js";
import { GENERATIONS, Talk } from "./talk.js";

const OLDER = GENERATIONS[1];
const agent = (door, threadId = newId()) => new Talk(OLDER, { job: null, threadId, path: `/copilotkit/agent/${JOB}/${door}` });

test("the runtime names its agents", async () => {
  const { agents, mode } = await call("/copilotkit/info");
  assert.equal(mode, "sse");
  assert.ok(agents[JOB]);
});

test("an agent runs, and a page that connects is shown the thread", async () => {
  const talk = agent("run");
  await talk.say("Add 2 and 40");
  assert.equal(talk.said, "The sum is 42.");
  await talk.say("What did I say");
  const page = agent("connect", talk.threadId);
  await page.agent.runAgent({});
  assert.deepEqual(page.transcript, talk.transcript);
});

test("a page that connects to a thread that waits is given its interrupts, and answers under the same run", async () => {
  const talk = agent("run");
  const run = await talk.say("Write to Ada");
  const page = agent("connect", talk.threadId);
  await page.agent.runAgent({});
  assert.deepEqual(page.interrupts, talk.interrupts);
  const resume = [{ interruptId: page.interrupts[0].id, status: "resolved", payload: { approved: true } }];
  const [{ toolCallId }] = talk.interrupts;
  talk.agent.messages = [{ id: newId(), role: "tool", toolCallId, content: "{}" }, ...talk.agent.messages];
  await talk.run({ resume, runId: run.runId });
  assert.equal(talk.said, "Told: sent to Ada: Dear Ada");
});

test("Stop reaches the run", async () => {
  const talk = agent("run");
  let stopping;
  talk.agent.subscribe({
    onTextMessageContentEvent: () => {
      stopping ??= call(`/copilotkit/agent/${JOB}/stop/${talk.threadId}`, { method: "POST", body: {} });
    },
  });
  const run = await talk.say("Tell a long story");
  assert.equal((await stopping).stopped, true);
  assert.deepEqual([run.last.type, run.last.code], ["RUN_ERROR", "STOPPED"]);
});
