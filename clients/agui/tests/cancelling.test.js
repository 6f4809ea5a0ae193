import assert from "node:assert/strict";
import { test } from "node:test";

import { call, newId } from "./environment.js";
import { readFrames } from "./recording.js";
import { Talk, textOf, withEach } from "./talk.js";

withEach((generation, client) => {
  test(`${client}: a run that is cancelled ends as such, and the thread goes on`, async () => {
    const talk = new Talk(generation);
    const runId = newId();
    let cancelling;
    talk.agent.subscribe({
      onTextMessageContentEvent: () => {
        cancelling ??= call(`/ag-ui/run/${runId}`, { method: "DELETE" });
      },
    });
    const run = await talk.say("Tell a long story", { runId });
    assert.equal((await cancelling).status, "cancelled");
    if (generation.older) assert.deepEqual([run.last.type, run.last.code], ["RUN_ERROR", "STOPPED"]);
    else assert.deepEqual(run.last.outcome, { type: "cancelled" });
    const after = new Talk(generation, { threadId: talk.threadId });
    await after.say("Say hello");
    assert.equal(after.said, "Hello from a durable run.");
  });

  test(`${client}: a client that hangs up cancels nothing`, async () => {
    const talk = new Talk(generation);
    const runId = newId();
    talk.agent.addMessage({ id: newId(), role: "user", content: "Tell a story" });
    await talk.agent.runAgent({ forwardedProps: talk.props, runId }, { onRunStartedEvent: () => talk.agent.abortRun() });
    const frames = readFrames(await call(`/ag-ui/run?offset=-1&runId=${runId}`));
    assert.equal(frames.at(-1).event.type, "RUN_FINISHED");
    assert.equal(textOf(frames.map(({ event }) => event)), "Once there was a run that ended.");
  });
});
