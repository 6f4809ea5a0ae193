import type { components } from "./schema.js";

type Schemas = components["schemas"];

export type Run = Schemas["RunShape"];
export type StartedRun = Schemas["StartedShape"];
export type StartRun = Schemas["StartRun"];
export type Step = Schemas["StepShape"];
export type Job = Schemas["JobShape"];
export type SentSignal = Schemas["SentShape"];
export type Question = Schemas["QuestionShape"];
export type GiveAnswer = Schemas["GiveAnswer"];
export type PipelineJob = Schemas["PipelineJob"];
export type StepExecution = Schemas["StepExecution"];
export type ResultItem = Schemas["ResultItem"];
export type CreateJob = Schemas["CreateJob"];
export type RerunJob = Schemas["RerunJob"];
export type PipelineJobPage = Schemas["PipelineJobPage"];
export type Pipeline = Schemas["PipelineShape"];
export type PipelineMetrics = Schemas["PipelineMetrics"];
export type ProviderProfile = Schemas["ProviderShape"];
export type UpsertProvider = Schemas["CreateProvider"];
export type Page<T> = { results: T[]; next: string | null; previous: string | null };

/** An event of a run. A stored one has `sequence`; a `stream` frame has `epoch` and `offset` in its place. */
export interface RunEvent {
  type: string;
  run_id: string;
  data: any;
  step: string | null;
  attempt: number | null;
  sequence?: number | null;
  epoch?: number;
  offset?: number;
  created_at: string | null;
}

/** A line of a pipeline job's stream. `provider_chunk` and `stream_reset` repeat the number of the line before. */
export interface StreamLine {
  seq: number;
  event: string;
  job_id: string;
  data: any;
}
