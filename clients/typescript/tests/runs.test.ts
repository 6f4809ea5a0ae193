import assert from "node:assert/strict";
import { test } from "node:test";

import { PerdureClient, PerdureError, type RunEvent } from "../src/index.js";
import { all, CASES, client, cutClient, TOKEN, URL_ } from "./environment.js";

const NOWHERE = "00000000-0000-7000-8000-000000000000";

function check(testCase: any, events: RunEvent[]): void {
  const numbers = events.flatMap((event) => (event.sequence == null ? [] : [event.sequence]));
  assert.deepEqual(numbers, numbers.map((_, index) => index + 1));
  for (const [type, count] of Object.entries(testCase.counts)) {
    assert.equal(events.filter((event) => event.type === type).length, count, type);
  }
  if (testCase.words) checkFrames(testCase.words, events);
}

/** No frame comes twice; those that fell to a cut at the end of their step are told by its output. */
function checkFrames(words: number, events: RunEvent[]): void {
  const text = Array.from({ length: words }, (_, number) => `word-${number}`);
  const frames = events.filter((event) => event.type === "stream");
  assert.ok(frames.length > 0);
  for (const end of events.filter((event) => event.type === "step:complete")) {
    assert.equal(end.data.output, text.join(" "));
    const said = frames.filter((frame) => frame.step === end.step).map((frame) => frame.data.text);
    assert.deepEqual(said, text.slice(0, said.length));
  }
}

for (const testCase of CASES.runs) {
  test(`a stream that is cut has every event once: ${testCase.name}`, async () => {
    const run = await cutClient.runs.start(testCase.job, testCase.input);
    check(testCase, await all(cutClient.stream(run.id)));
    const ended = await cutClient.runs.get(run.id);
    assert.equal(ended.status, testCase.status);
    if ("output" in testCase) assert.deepEqual(ended.output, testCase.output);
    if ("error" in testCase) assert.ok(String((ended.error as any).message).includes(testCase.error));
  });

  test(`a subscription does the same: ${testCase.name}`, async () => {
    const run = await cutClient.runs.start(testCase.job, testCase.input);
    const events: RunEvent[] = [];
    const reader = cutClient.subscribe(run.id).getReader();
    for (let part = await reader.read(); !part.done; part = await reader.read()) events.push(part.value);
    check(testCase, events);
  });
}

test("a subscription begins after the number that it resumes from", async () => {
  const run = await cutClient.runs.start("client-count", { steps: 20 });
  const last = (await all(cutClient.stream(run.id))).at(-1)?.sequence ?? 0;
  const events = await all(cutClient.stream(run.id, { after: 15 }));
  assert.deepEqual(events.map((event) => event.sequence), Array.from({ length: last - 15 }, (_, index) => index + 16));
  assert.deepEqual(await all(cutClient.stream(run.id, { after: last })), []);
});

test("a subscription that is cancelled stops, and the run goes on", async () => {
  const run = await client.runs.start("client-wait");
  const reader = client.subscribe(run.id).getReader();
  assert.equal((await reader.read()).value?.type, "run:queued");
  await reader.cancel();
  assert.notEqual((await client.runs.get(run.id)).status, "cancelled");
  await client.runs.cancel(run.id);
});

test("a question is found and answered", async () => {
  const { job, input, decision, comment, output } = CASES.question;
  const run = await client.runs.start(job, input);
  for await (const event of client.stream(run.id)) if (event.type === "question:ask") break;
  const [question] = (await client.questions.list({ run: run.id, status: ["open"] })).results;
  assert.ok(question);
  assert.equal(question.title, input.text);
  await client.questions.answer(question, decision, { comment });
  await all(client.stream(run.id));
  assert.equal((await client.runs.get(run.id)).output, output);
});

test("a signal reaches its run as it was sent", async () => {
  const { job, signal, payload } = CASES.signal;
  const run = await client.runs.start(job);
  const sent = await client.runs.signal(run.id, signal, payload, "once");
  const again = await client.runs.signal(run.id, signal, payload, "once");
  assert.deepEqual([sent.disposition, again.disposition, again.id], ["created", "idempotent", sent.id]);
  await all(client.stream(run.id));
  assert.deepEqual((await client.runs.get(run.id)).output, payload);
});

test("a run that is parked by its budget goes on once more is granted", async () => {
  const { job, input, budget, grant, output } = CASES.budget;
  const run = await client.runs.start(job, input, { budget });
  for await (const event of client.stream(run.id)) if (event.type === "budget:exceed") break;
  await client.runs.grant(run.id, grant);
  await all(client.stream(run.id));
  assert.equal((await client.runs.get(run.id)).output, output);
});

test("a cancelled run ends its stream", async () => {
  const { job, reason } = CASES.cancel;
  const run = await cutClient.runs.start(job);
  await cutClient.runs.cancel(run.id, reason);
  const last = (await all(cutClient.stream(run.id))).at(-1);
  assert.equal(last?.type, "run:cancel");
  assert.equal(last?.data.reason, reason);
});

for (const testCase of CASES.refusals) {
  test(`a refusal has its code and its remedy: ${testCase.name}`, async () => {
    await assert.rejects(client.runs.start(testCase.job, testCase.input), (error: unknown) => {
      assert.ok(error instanceof PerdureError);
      assert.deepEqual([error.status, error.code], [testCase.status, testCase.code]);
      assert.ok(error.message.endsWith("."));
      return true;
    });
  });
}

test("a run that is not there, and a token that is not valid", async () => {
  await assert.rejects(client.runs.get(NOWHERE), CASES.unknown_run);
  await assert.rejects(all(client.stream(NOWHERE)), { status: 404 });
  const stranger = new PerdureClient(URL_, { token: `${TOKEN}x` });
  await assert.rejects(stranger.runs.list(), CASES.bad_token);
});
