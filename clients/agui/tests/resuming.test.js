import assert from "node:assert/strict";
import { test } from "node:test";

import { CUTTING, HEADERS, JOB, newId } from "./environment.js";
import { resumingFetch } from "./resuming-fetch.js";
import { Talk, withEach } from "./talk.js";

const cuts = (way) => Array(80).fill(`2${way}`).join(",");

withEach(({ version, Agent, older }, client) => {
  function cutAgent(cut, threadId = newId()) {
    const headers = { ...HEADERS, "X-Cut": `${newId()} ${cut}` };
    return new Agent({ url: `${CUTTING}/ag-ui/run`, headers, threadId, fetch: resumingFetch });
  }

  async function say(text, cut) {
    const agent = cutAgent(cut);
    agent.addMessage({ id: newId(), role: "user", content: text });
    await agent.runAgent({ forwardedProps: { job: JOB } });
    return agent;
  }

  const told = ({ role, content, toolCalls }) => [role, content ?? "", (toolCalls ?? []).map((call) => call.function)];

  test(`${client}: with a fetch that resumes, cuts go unseen`, async () => {
    const tried = [["Tell a story", ""], ["Remember apples and pears", "m"], ["Write to Ada and Grace", "e"]];
    for (const [text, way] of tried) {
      const plain = new Talk({ version, Agent, older });
      await plain.say(text);
      const agent = await say(text, cuts(way));
      assert.deepEqual(agent.messages.map(told), plain.agent.messages.map(told));
      assert.deepEqual(agent.state, plain.agent.state);
      assert.equal(agent.pendingInterrupts.length, plain.interrupts.length);
    }
  });

  test(`${client}: a page that opens a thread in the midst of a run hears it to the end, however it is cut`, async () => {
    const talk = new Talk({ version, Agent, older });
    let page;
    talk.agent.subscribe({
      onReasoningMessageContentEvent: () => {
        page ??= cutAgent(cuts(""), talk.threadId);
        page.told ??= page.runAgent();
      },
    });
    await talk.say("Tell a story");
    await page.told;
    assert.deepEqual(page.messages.map(told), talk.agent.messages.map(told));
  });
});
