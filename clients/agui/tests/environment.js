import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after } from "node:test";
import { setTimeout as pause } from "node:timers/promises";

function variable(name) {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set. These tests need a running server: make test-clients.`);
  return value;
}

export const SERVER = variable("PERDURE_URL");
/** The same server through a proxy that cuts streams where the header X-Cut says. */
export const CUTTING = variable("PERDURE_CUT_EVENTS_URL");
export const HEADERS = { Authorization: `Bearer ${variable("PERDURE_TOKEN")}` };
export const JOB = "client-agent";

export const newId = () => randomUUID();

/** The answer's JSON, or its text where it is a stream. */
export async function call(path, { method = "GET", body, headers = {}, status = 200 } = {}) {
  const response = await fetch(SERVER + path, {
    method,
    headers: { ...HEADERS, ...(body === undefined ? {} : { "Content-Type": "application/json" }), ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  assert.equal(response.status, status, text);
  return response.headers.get("content-type")?.startsWith("application/json") ? JSON.parse(text) : text;
}

/** What `look` returns as soon as it is true. */
export async function until(look, what) {
  const end = Date.now() + 60_000;
  while (Date.now() < end) {
    const found = await look();
    if (found) return found;
    await pause(50);
  }
  throw new Error(`no ${what} within a minute`);
}

// The official clients mend what a server says wrong, and tell it to the console alone.
const warnings = [];
const warn = console.warn;
console.warn = (...args) => {
  warnings.push(args.join(" "));
  warn(...args);
};
after(() => assert.deepEqual(warnings, []));
