/** CopilotKit's own core, on which its React, Vue and Angular packages stand, with its runtime served by Perdure. */
import assert from "node:assert/strict";
import { test } from "node:test";

import { CopilotKitCore, ɵcreateThreadStore } from "@copilotkit/core";

import { HEADERS, JOB, newId, SERVER, until } from "./environment.js";

// It asks its runtime in a page only, so there is one as far as it looks: it listens there for "online" and the like.
globalThis.window = new EventTarget();

const RUNTIME = `${SERVER}/copilotkit`;
const COLOUR = { type: "object", properties: { colour: { type: "string" } }, required: ["colour"] };
const roles = (agent) => agent.messages.map(({ role, content }) => [role, content ?? ""]);
const said = (agent) => agent.messages.filter(({ role, content }) => role === "assistant" && content).at(-1)?.content;

/** A page of the frontend: its agent, on a thread. Its errors fail the test. */
async function open(runtimeTransport, { threadId = newId() } = {}) {
  const core = new CopilotKitCore({ runtimeUrl: RUNTIME, runtimeTransport, headers: HEADERS });
  const errors = [];
  core.subscribe({ onError: ({ code, error }) => void errors.push(`${code}: ${error.message}`) });
  await until(() => core.runtimeConnectionStatus === "connected", "connection");
  const agent = core.getAgent(JOB);
  agent.threadId = threadId;
  const run = async (parameters = {}) => {
    const done = await core.runAgent({ agent, ...parameters });
    assert.deepEqual(errors, []);
    return done;
  };
  const say = (content, parameters) => {
    agent.addMessage({ id: newId(), role: "user", content });
    return run(parameters);
  };
  const connect = async () => {
    await core.connectAgent({ agent });
    assert.deepEqual(errors, []);
  };
  return { core, agent, run, say, connect, errors };
}

function interruptsOf(agent) {
  const found = [];
  agent.subscribe({
    onRunFinishedEvent: ({ event }) => void found.splice(0, found.length, ...(event.outcome?.interrupts ?? [])),
  });
  return found;
}

for (const transport of ["rest", "single"]) {
  test(`${transport}: an agent answers, and a page that is loaded anew shows the same thread`, async () => {
    const page = await open(transport);
    await page.say("Add 2 and 40");
    assert.equal(said(page.agent), "The sum is 42.");
    await page.say("Say hello");
    const reloaded = await open(transport, { threadId: page.agent.threadId });
    await reloaded.connect();
    assert.deepEqual(roles(reloaded.agent), roles(page.agent));
    assert.deepEqual(reloaded.agent.state, page.agent.state);
    await reloaded.say("Say hello");
    assert.equal(said(reloaded.agent), "Hello from a durable run.");
  });

  test(`${transport}: a thread that nobody knows is empty`, async () => {
    const page = await open(transport);
    await page.connect();
    assert.deepEqual(page.agent.messages, []);
  });

  test(`${transport}: a frontend's tool runs in the page, and the run goes on by itself`, async () => {
    const page = await open(transport);
    const colours = [];
    page.core.addTool({
      name: "set_colour",
      description: "Set the page's colour.",
      parameters: { toJSONSchema: () => COLOUR },
      handler: async ({ colour }) => {
        colours.push(colour);
        return `it is ${colour} now`;
      },
    });
    await page.say("Make it green");
    assert.deepEqual(colours, ["green"]);
    assert.equal(said(page.agent), "The page says: it is green now.");
  });

  test(`${transport}: Stop reaches the run`, async () => {
    const page = await open(transport);
    page.agent.subscribe({
      onTextMessageContentEvent: () => {
        page.core.stopAgent({ agent: page.agent });
      },
    });
    const ends = [];
    page.agent.subscribe({ onRunErrorEvent: ({ event }) => void ends.push(event.code) });
    page.agent.addMessage({ id: newId(), role: "user", content: "Tell a long story" });
    await page.core.runAgent({ agent: page.agent });
    assert.deepEqual(ends, ["STOPPED"]);
    const after = await open(transport, { threadId: page.agent.threadId });
    await after.connect();
    await after.say("Say hello");
    assert.equal(said(after.agent), "Hello from a durable run.");
  });

  test(`${transport}: a page that is loaded anew shows what waits, and its answer goes on`, async () => {
    const page = await open(transport);
    const asked = interruptsOf(page.agent);
    await page.say("Write to Ada");
    assert.equal(asked.length, 1);
    const reloaded = await open(transport, { threadId: page.agent.threadId });
    const shown = interruptsOf(reloaded.agent);
    await reloaded.connect();
    assert.deepEqual(shown, asked);
    const resume = [{ interruptId: shown[0].id, status: "resolved", payload: { approved: true } }];
    await reloaded.run({ resume });
    assert.equal(said(reloaded.agent), "Told: sent to Ada: Dear Ada");
  });
}

test("the list of threads is read, renamed, archived and deleted", async () => {
  const page = await open("auto");
  await page.say("Say hello");
  const { threadId } = page.agent;
  const store = ɵcreateThreadStore({ fetch });
  store.start();
  store.setContext({ runtimeUrl: RUNTIME, headers: HEADERS, agentId: JOB, includeArchived: true, limit: 5 });
  const find = () => store.getState().threads.find(({ id }) => id === threadId);
  try {
    assert.equal((await until(find, "thread")).name, "Say hello");
    await store.renameThread(threadId, "A greeting");
    await store.archiveThread(threadId);
    store.refresh();
    const changed = await until(() => (store.getState().isLoading ? undefined : find()), "thread");
    assert.deepEqual([changed.name, changed.archived], ["A greeting", true]);
    await store.unarchiveThread(threadId);
    await store.deleteThread(threadId);
    store.refresh();
    await until(() => !store.getState().isLoading, "list");
    assert.equal(find(), undefined);
  } finally {
    store.stop();
  }
});
