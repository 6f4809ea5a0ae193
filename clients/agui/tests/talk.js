/** A conversation of one of the two official clients with the server. */
import assert from "node:assert/strict";

import { HttpAgent } from "@ag-ui/client";
import { HttpAgent as OlderHttpAgent } from "ag-ui-client-0";

import { HEADERS, JOB, newId, SERVER } from "./environment.js";
import { Recording } from "./recording.js";

/** What people use today: the current client, and the one that most frontends still bring. */
export const GENERATIONS = [
  { version: "1.0.0", Agent: HttpAgent, older: false },
  { version: "0.0.59", Agent: OlderHttpAgent, older: true },
];

export class Talk {
  constructor({ Agent, older }, { job = JOB, threadId = newId(), path = "/ag-ui/run" } = {}) {
    this.older = older;
    this.props = job === null ? {} : { job };
    this.recording = new Recording();
    this.agent = new Agent({ url: SERVER + path, headers: HEADERS, threadId, fetch: this.recording.fetch });
  }

  get threadId() {
    return this.agent.threadId;
  }

  get interrupts() {
    return this.agent.pendingInterrupts;
  }

  /** Say something; the events of the run, seen by the client and valid on the wire. */
  async say(text, parameters = {}) {
    this.agent.addMessage({ id: newId(), role: "user", content: text });
    return this.run(parameters);
  }

  /** Answer all open interrupts: `answer` gives what is said of one. */
  async answer(answer, parameters = {}) {
    const resume = this.interrupts.map((interrupt) => ({ interruptId: interrupt.id, ...answer(interrupt) }));
    return this.run({ resume, ...parameters });
  }

  /** Send what the client holds. `shows` is the run that is told where that is not the one that the client begins. */
  async run({ shows, ...parameters } = {}) {
    const seen = [];
    const runId = parameters.runId ?? newId();
    const ended = await this.agent
      .runAgent({ forwardedProps: this.props, ...parameters, runId }, { onEvent: ({ event }) => void seen.push(event) })
      .then((result) => ({ ...result, error: undefined }), (error) => ({ error }));
    const events = await this.recording.events({ older: this.older });
    assert.deepEqual(seen.map((event) => event.type), events.map((event) => event.type), ended.error?.message);
    assert.equal(events[0].type, "RUN_STARTED");
    assert.ok(["RUN_FINISHED", "RUN_ERROR"].includes(events.at(-1).type), "the last event is terminal");
    for (const event of events) {
      if (event.type === "RUN_STARTED" || event.type === "RUN_FINISHED") {
        assert.deepEqual([event.threadId, event.runId], [this.threadId, shows ?? runId]);
      }
    }
    return { ...ended, runId, events, last: events.at(-1), of: (type) => events.filter((event) => event.type === type) };
  }

  /** The last answer's text. */
  get said() {
    return this.agent.messages.filter((message) => message.role === "assistant" && message.content).at(-1)?.content;
  }

  /** Roles and texts of the transcript, as the client holds it. */
  get transcript() {
    return this.agent.messages.map(({ role, content }) => [role, content ?? ""]);
  }
}

/** All text that streamed. */
export function textOf(events) {
  return events.map((event) => (event.type === "TEXT_MESSAGE_CONTENT" ? event.delta : "")).join("");
}

/** `test` with each client. */
export function withEach(test) {
  for (const generation of GENERATIONS) test(generation, `client ${generation.version}`);
}
