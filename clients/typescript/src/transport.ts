import { ConnectionLost, errorOf, PerdureError } from "./errors.js";
import { linesOf } from "./lines.js";
import type { Place } from "./places.js";

const TRIES = 4;

export interface Options {
  token: string;
  /** Milliseconds for one answer; 30,000 unless told. */
  timeout?: number;
  /** A stream that brought nothing new for so many milliseconds of trying fails; 300,000 unless told. */
  reconnectFor?: number;
  fetch?: typeof fetch;
}

export interface FollowOptions {
  /** Ends the stream without an error. */
  signal?: AbortSignal;
}

/** Requests and streams; repeats what may be repeated. */
export class Transport {
  readonly #token: string;
  readonly #fetch: typeof fetch;
  readonly #timeout: number;
  readonly #patience: number;

  constructor(
    readonly baseUrl: string,
    options: Options,
  ) {
    this.#token = options.token;
    this.#fetch = options.fetch ?? globalThis.fetch.bind(globalThis);
    this.#timeout = options.timeout ?? 30_000;
    this.#patience = options.reconnectFor ?? 300_000;
  }

  /** One request. What changes nothing when it is repeated is tried again when no answer came. */
  async send<T>(method: string, path: string, body?: object, query: [string, string][] = []): Promise<T> {
    const repeatable = method === "GET" || Boolean(body && "idempotency_key" in body && body.idempotency_key);
    for (let tries = 1; ; tries += 1) {
      let response: Response;
      try {
        response = await this.#open(method, path, query, "application/json", AbortSignal.timeout(this.#timeout), body);
      } catch (cause) {
        if (tries === TRIES || !repeatable) throw new ConnectionLost(this.baseUrl, cause);
        await pause(100 * 2 ** tries);
        continue;
      }
      if (!response.ok) throw await errorOf(response);
      return (await response.json()) as T;
    }
  }

  /** The entries from a place on, over as many connections as it takes. */
  async *follow<T>(place: Place<T>, { signal }: FollowOptions = {}): AsyncGenerator<T> {
    let since = Date.now();
    while (!place.hasEnded && !signal?.aborted) {
      const before = place.after;
      let cause: unknown = null;
      try {
        for await (const entry of this.#connection(place, signal)) {
          since = Date.now();
          yield entry;
        }
      } catch (error) {
        if (signal?.aborted) return;
        if (error instanceof PerdureError) throw error;
        cause = error;
      }
      if (place.hasEnded || (place.after === before && (await this.#isReadToItsEnd(place)))) return;
      if (Date.now() - since > this.#patience) throw new ConnectionLost(this.baseUrl, cause);
      await pause(place.delay());
    }
  }

  async *#connection<T>(place: Place<T>, signal?: AbortSignal): AsyncGenerator<T> {
    const response = await this.#open("GET", place.path, Object.entries(place.query), "application/x-ndjson", signal);
    if (!response.ok) {
      const error = await errorOf(response);
      if (response.status >= 500 || response.status === 429) return;
      throw error;
    }
    if (response.body === null) return;
    for await (const line of linesOf(response.body)) {
      const entry = place.take(line);
      if (entry !== null) yield entry;
    }
  }

  async #isReadToItsEnd<T>(place: Place<T>): Promise<boolean> {
    if (place.run === null) return false;
    try {
      const run = await this.send<{ status: string; last_sequence: number }>("GET", `/api/runs/${place.run}/`);
      return ["completed", "failed", "cancelled"].includes(run.status) && run.last_sequence <= place.after;
    } catch (error) {
      if (error instanceof ConnectionLost) return false;
      throw error;
    }
  }

  #open(
    method: string,
    path: string,
    query: [string, string][],
    accept: string,
    signal?: AbortSignal,
    body?: object,
  ): Promise<Response> {
    const url = new URL(path, this.baseUrl);
    for (const [name, value] of query) url.searchParams.append(name, value);
    const headers: Record<string, string> = { Authorization: `Bearer ${this.#token}`, Accept: accept };
    if (body !== undefined) headers["Content-Type"] = "application/json";
    return this.#fetch(url, {
      method,
      headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(signal === undefined ? {} : { signal }),
    });
  }
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
