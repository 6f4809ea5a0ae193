import type { GiveAnswer, Job, Page, Question, Run, SentSignal, StartedRun, StartRun, Step } from "./models.js";
import type { Transport } from "./transport.js";

type Filters = Record<string, string | number | boolean | readonly string[] | undefined>;

/** Filters as a query; a list repeats its name. */
export function queryOf(filters: Filters): [string, string][] {
  return Object.entries(filters).flatMap(([name, value]) => {
    if (value === undefined) return [];
    const values = Array.isArray(value) ? value : [value];
    return values.map((one): [string, string] => [name, String(one)]);
  });
}

/** Durable executions of jobs. */
export class Runs {
  constructor(private readonly transport: Transport) {}

  /** `options` as the REST API names them: version, team, idempotency_key, labels, priority, queue, run_at, ... */
  start(job: string, input: unknown = {}, options: Partial<Omit<StartRun, "job" | "input">> = {}): Promise<StartedRun> {
    return this.transport.send("POST", "/api/runs/", { job, input, ...options });
  }

  get(id: string): Promise<Run> {
    return this.transport.send("GET", path(id));
  }

  list(filters: Filters = {}): Promise<Page<Run>> {
    return this.transport.send("GET", "/api/runs/", undefined, queryOf(filters));
  }

  steps(id: string): Promise<Page<Step>> {
    return this.transport.send("GET", path(id, "steps"));
  }

  cancel(id: string, reason = ""): Promise<Run> {
    return this.transport.send("POST", path(id, "cancel"), { reason });
  }

  pause(id: string, reason = ""): Promise<Run> {
    return this.transport.send("POST", path(id, "pause"), { reason });
  }

  resume(id: string): Promise<Run> {
    return this.transport.send("POST", path(id, "resume"), {});
  }

  retry(id: string): Promise<Run> {
    return this.transport.send("POST", path(id, "retry"), {});
  }

  retrigger(id: string): Promise<Run> {
    return this.transport.send("POST", path(id, "retrigger"), {});
  }

  fork(id: string, step: string, changes: { input?: unknown; outputs?: Record<string, unknown> } = {}): Promise<Run> {
    return this.transport.send("POST", path(id, "fork"), { step, ...changes });
  }

  /** Add to the hard limits of its budget. A run that is parked at one goes on. */
  grant(id: string, more: { tokens?: number; cost?: number; steps?: number; active_seconds?: number }): Promise<Run> {
    return this.transport.send("POST", path(id, "budget"), more);
  }

  signal(id: string, name: string, payload: unknown = null, idempotencyKey?: string): Promise<SentSignal> {
    const key = idempotencyKey === undefined ? {} : { idempotency_key: idempotencyKey };
    return this.transport.send("POST", path(id, "signals"), { name, payload, ...key });
  }
}

/** The jobs that runs can be started of. */
export class Jobs {
  constructor(private readonly transport: Transport) {}

  list(): Promise<Page<Job>> {
    return this.transport.send("GET", "/api/jobs/");
  }
}

/** What runs ask people. */
export class Questions {
  constructor(private readonly transport: Transport) {}

  list(filters: Filters = {}): Promise<Page<Question>> {
    return this.transport.send("GET", "/api/questions/", undefined, queryOf(filters));
  }

  get(id: string): Promise<Question> {
    return this.transport.send("GET", `/api/questions/${encodeURIComponent(id)}/`);
  }

  /** Answer the question as it was read: one that was changed since is refused. */
  answer(
    question: Question,
    decision: GiveAnswer["decision"],
    more: Partial<Pick<GiveAnswer, "value" | "comment" | "idempotency_key">> = {},
  ): Promise<Question> {
    const body = { decision, digest: question.digest, ...more };
    return this.transport.send("POST", `/api/questions/${encodeURIComponent(question.id)}/answer/`, body);
  }
}

function path(id: string, action?: string): string {
  return `/api/runs/${encodeURIComponent(id)}/${action === undefined ? "" : `${action}/`}`;
}
