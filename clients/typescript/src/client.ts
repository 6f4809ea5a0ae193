import type { RunEvent } from "./models.js";
import { Pipelines } from "./pipelines.js";
import { RunPlace } from "./places.js";
import { Jobs, Questions, Runs } from "./runs.js";
import { type FollowOptions, type Options, Transport } from "./transport.js";

/** `new PerdureClient("https://perdure.example.org", { token })`. Refusals are thrown as `PerdureError`. */
export class PerdureClient {
  readonly runs: Runs;
  readonly jobs: Jobs;
  readonly questions: Questions;
  readonly pipelines: Pipelines;
  readonly #transport: Transport;

  constructor(baseUrl: string, options: Options) {
    this.#transport = new Transport(baseUrl, options);
    this.runs = new Runs(this.#transport);
    this.jobs = new Jobs(this.#transport);
    this.questions = new Questions(this.#transport);
    this.pipelines = new Pipelines(this.#transport);
  }

  /** The run's events after `after`, then live until it has ended; a cut connection is taken up again where it was. */
  stream(runId: string, options: FollowOptions & { after?: number } = {}): AsyncGenerator<RunEvent> {
    return this.#transport.follow(new RunPlace(runId, options.after ?? 0), options);
  }

  /** The same as a `ReadableStream`; cancel it to stop. */
  subscribe(runId: string, options: { resumeFrom?: number } = {}): ReadableStream<RunEvent> {
    const stop = new AbortController();
    const events = this.stream(runId, { after: options.resumeFrom ?? 0, signal: stop.signal });
    return new ReadableStream<RunEvent>({
      async pull(controller) {
        const { done, value } = await events.next();
        if (done) controller.close();
        else controller.enqueue(value);
      },
      cancel: () => stop.abort(),
    });
  }
}
