import { readFileSync } from "node:fs";

import { PerdureClient } from "../src/index.js";

function variable(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set. These tests need a running server: make test-clients.`);
  return value;
}

export const URL_ = variable("PERDURE_URL");
export const TOKEN = variable("PERDURE_TOKEN");
export const CASES = JSON.parse(readFileSync(variable("PERDURE_CASES"), "utf8"));
export const client = new PerdureClient(URL_, { token: TOKEN });
/** Its streams are cut at every tenth event. */
export const cutClient = new PerdureClient(variable("PERDURE_CUT_URL"), { token: TOKEN });

export async function all<T>(entries: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const entry of entries) found.push(entry);
  return found;
}
