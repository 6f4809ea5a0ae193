import type { RunEvent, StreamLine } from "./models.js";

/** Where a reader stands in a stream, so that a cut connection is taken up again without a gap or a repetition. */
export abstract class Place<T> {
  hasEnded = false;
  private readonly frames = new Map<string, number>();
  private failures = 0;

  /** `after` is the last stored number seen. */
  constructor(
    readonly path: string,
    public after: number,
  ) {}

  abstract get query(): Record<string, string>;

  /** Whose end is to be asked for when a stream was empty: one that begins after the last event looks cut. */
  get run(): string | null {
    return null;
  }

  /** The line's entry; null for one that was seen before. */
  take(line: string): T | null {
    const entry = this.read(JSON.parse(line));
    if (entry !== null) this.failures = 0;
    return entry;
  }

  /** Milliseconds before the next try: 100 at first, doubled for each try that brought nothing, at most 5,000. */
  delay(): number {
    this.failures += 1;
    return Math.min(100 * 2 ** (this.failures - 1), 5_000) * (0.8 + 0.4 * Math.random());
  }

  protected abstract read(told: unknown): T | null;

  /** Frames of one source are counted from 0; a new connection is sent those that are still held again. */
  protected isNew(source: unknown[], number: number): boolean {
    const key = JSON.stringify(source);
    if (number < (this.frames.get(key) ?? 0)) return false;
    this.frames.set(key, number + 1);
    return true;
  }
}

const RUN_ENDS = new Set(["run:complete", "run:fail", "run:cancel"]);

/** In the events of a run. */
export class RunPlace extends Place<RunEvent> {
  constructor(
    private readonly runId: string,
    after: number,
  ) {
    super(`/api/runs/${encodeURIComponent(runId)}/events/`, after);
  }

  get query(): Record<string, string> {
    return { after: String(this.after) };
  }

  override get run(): string {
    return this.runId;
  }

  protected read(event: RunEvent): RunEvent | null {
    if (event.offset !== undefined) {
      return this.isNew([event.step, event.epoch, event.attempt], event.offset) ? event : null;
    }
    if (event.sequence == null) return event; // a reset of a stream, or a gap
    if (event.sequence <= this.after) return null;
    this.after = event.sequence;
    this.hasEnded = RUN_ENDS.has(event.type);
    return event;
  }
}

/** In the lines of a pipeline's job. */
export class JobPlace extends Place<StreamLine> {
  constructor(jobId: string, afterSeq: number) {
    super(`/v1/jobs/${encodeURIComponent(jobId)}/stream`, afterSeq);
  }

  get query(): Record<string, string> {
    return { after_seq: String(this.after) };
  }

  protected read(line: StreamLine): StreamLine | null {
    if (line.event === "provider_chunk") {
      const { step_id, shard_key, attempt, index } = line.data;
      return this.isNew([step_id, shard_key, attempt], index) ? line : null;
    }
    if (line.event === "stream_reset") return line;
    if (line.seq <= this.after) return null;
    this.after = line.seq;
    this.hasEnded = line.event === "stream_finished";
    return line;
  }
}
