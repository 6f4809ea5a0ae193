import type {
  CreateJob,
  Pipeline,
  PipelineJob,
  PipelineJobPage,
  PipelineMetrics,
  ProviderProfile,
  RerunJob,
  StreamLine,
  UpsertProvider,
} from "./models.js";
import { JobPlace } from "./places.js";
import { queryOf } from "./runs.js";
import type { FollowOptions, Transport } from "./transport.js";

type JobRequest = Pick<CreateJob, "pipeline_type"> & Partial<CreateJob>;

/** Pipelines by their own API, /v1. */
export class Pipelines {
  constructor(private readonly transport: Transport) {}

  /** `mode: "sync"` answers when the job has ended. */
  async createJob(request: JobRequest): Promise<PipelineJob> {
    return (await this.transport.send<{ job: PipelineJob }>("POST", "/v1/jobs", request)).job;
  }

  /** Create a job and follow its lines from the first on. */
  async streamJobs(request: JobRequest, options: FollowOptions = {}): Promise<{ job: PipelineJob; events: AsyncGenerator<StreamLine> }> {
    const job = await this.createJob(request);
    return { job, events: this.streamJobByID(job.id, 0, options) };
  }

  /** The job's lines from the one after `afterSeq` on; the last one is `stream_finished`. */
  streamJobByID(id: string, afterSeq = 0, options: FollowOptions = {}): AsyncGenerator<StreamLine> {
    return this.transport.follow(new JobPlace(id, afterSeq), options);
  }

  listJobs(filters: Record<string, string | number> = {}): Promise<PipelineJobPage> {
    return this.transport.send("GET", "/v1/jobs", undefined, queryOf(filters));
  }

  async getJob(id: string): Promise<PipelineJob> {
    return (await this.transport.send<{ job: PipelineJob }>("GET", path(id))).job;
  }

  async cancelJob(id: string, reason?: string): Promise<PipelineJob> {
    const body = reason === undefined ? {} : { reason };
    return (await this.transport.send<{ job: PipelineJob }>("POST", `${path(id)}/cancel`, body)).job;
  }

  /** A new job; with `reuse_upstream` what came before `from_step_id` is taken over, not done again. */
  async rerunJob(id: string, request: Partial<RerunJob> = {}): Promise<PipelineJob> {
    return (await this.transport.send<{ job: PipelineJob }>("POST", `${path(id)}/rerun`, request)).job;
  }

  /** Create or replace a provider profile; its secret is named in `api_key_env`, never sent. */
  async upsertProviderProfile(profile: Pick<UpsertProvider, "id" | "kind"> & Partial<UpsertProvider>): Promise<ProviderProfile> {
    return (await this.transport.send<{ provider: ProviderProfile }>("POST", "/v1/config/providers", profile)).provider;
  }

  async listProviderProfiles(): Promise<ProviderProfile[]> {
    return (await this.transport.send<{ providers: ProviderProfile[] }>("GET", "/v1/config/providers")).providers;
  }

  async listPipelines(): Promise<Pipeline[]> {
    return (await this.transport.send<{ pipelines: Pipeline[] }>("GET", "/v1/config/pipelines")).pipelines;
  }

  getMetrics(): Promise<PipelineMetrics> {
    return this.transport.send("GET", "/v1/metrics");
  }
}

function path(id: string): string {
  return `/v1/jobs/${encodeURIComponent(id)}`;
}
