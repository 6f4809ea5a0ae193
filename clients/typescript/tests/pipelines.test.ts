import assert from "node:assert/strict";
import { test } from "node:test";

import type { StreamLine } from "../src/index.js";
import { all, CASES, client, cutClient } from "./environment.js";

const CASE = CASES.pipeline;
const sources = Array.from({ length: CASE.sources }, (_, number) => ({
  kind: "note" as const,
  label: `n${number}`,
  content: CASE.content as string,
}));
const request = { pipeline_type: CASE.type, input: { sources, options: {} } };

function check(lines: StreamLine[], counts: Record<string, number>): void {
  const lasting = lines.filter((line) => !CASE.passing.includes(line.event));
  assert.deepEqual(lasting.map((line) => line.seq), lasting.map((_, index) => index + 1));
  assert.equal(lines.at(-1)?.event, "stream_finished");
  const chunks = lines.filter((line) => line.event === "provider_chunk").map((line) => line.data.index as number);
  assert.deepEqual(chunks, [...new Set(chunks)].sort((one, other) => one - other));
  for (const [event, count] of Object.entries(counts)) {
    assert.equal(lines.filter((line) => line.event === event).length, count, event);
  }
}

test("a stream of a pipeline has every line once", async () => {
  const { job, events } = await cutClient.pipelines.streamJobs(request);
  const lines = await all(events);
  check(lines, CASE.counts);
  const ended = await cutClient.pipelines.getJob(job.id);
  assert.equal(ended.status, "succeeded");
  const items = ended.result?.items ?? [];
  assert.equal((items.at(-1)?.data as any).text, Array(CASE.sources).fill(CASE.text).join(" "));
  const last = lines.at(-1)?.seq ?? 0;
  const rest = await all(cutClient.pipelines.streamJobByID(job.id, last - 2));
  assert.deepEqual(rest.map((line) => line.seq), [last - 1, last]);
});

test("a synchronous start answers with the ended job, and a rerun reuses its items", async () => {
  const job = await cutClient.pipelines.createJob({ ...request, mode: "sync" });
  assert.equal(job.status, "succeeded");
  const again = await cutClient.pipelines.rerunJob(job.id, { from_step_id: CASE.from_step, reuse_upstream: true });
  assert.equal(again.parent_job_id, job.id);
  check(await all(cutClient.pipelines.streamJobByID(again.id)), CASE.rerun_counts);
  const { step_executions } = await cutClient.pipelines.getJob(again.id);
  assert.deepEqual(Object.fromEntries(step_executions.map((step) => [step.step_id, step.status])), CASE.rerun_statuses);
  assert.ok((await cutClient.pipelines.listJobs()).jobs.some((one) => one.id === again.id));
});

test("a job that has ended is cancelled without effect", async () => {
  const job = await client.pipelines.createJob({ ...request, mode: "sync" });
  assert.equal((await client.pipelines.cancelJob(job.id, "too late")).status, "succeeded");
});

test("configuration and figures are read, and profiles written", async () => {
  assert.ok((await client.pipelines.listPipelines()).some((one) => one.type === CASE.type));
  assert.ok((await client.pipelines.getMetrics()).jobs >= 0);
  const made = await client.pipelines.upsertProviderProfile({ id: "clients", kind: "openai", base_uri: "http://127.0.0.1:9/v1" });
  assert.ok((await client.pipelines.listProviderProfiles()).some((one) => one.id === made.id));
});

test("refusals of the pipeline API have their codes", async () => {
  await assert.rejects(client.pipelines.createJob({ ...request, pipeline_type: "no-such-pipeline" }), CASE.unknown_type);
  const secret = { id: "clients", kind: "openai" as const, api_key: "sk-1" };
  await assert.rejects(client.pipelines.upsertProviderProfile(secret), CASE.secret);
});
