/** What frames and recorded results of a streaming step say: text, and a model's reasoning and tool calls beside it. */

/** Nothing was streamed yet. */
export const SILENT = { text: "", reasoning: "", calls: [], source: "", status: "", diff: false };

/** @returns what was said so far with one frame more */
export function withFrame(said, data) {
  if (data?.type === "reasoning" && typeof data.text === "string") return { ...said, reasoning: said.reasoning + data.text };
  if (data?.type === "tool_call" && typeof data.name === "string") return { ...said, calls: withCall(said.calls, data) };
  if (data?.type === "status" && typeof data.text === "string") return { ...said, status: data.text };
  return { ...said, text: said.text + frameText(data), diff: data?.type === "diff" };
}

/** The text that a frame adds; null for one that adds none, but reasoning, a call or a status. */
export function textIn(data) {
  const isBeside = ["reasoning", "status"].includes(data?.type) ? typeof data.text === "string" : data?.type === "tool_call" && typeof data.name === "string";
  return isBeside ? null : frameText(data);
}

/** What a recorded result says, which replaces what was streamed; `said.py` says the same for the first paint. */
export function withResult(said, output) {
  if (!isReply(output)) return { ...said, text: resultText(output), diff: typeof output === "string" && isDiff(output) };
  const message = output.message;
  return {
    text: indented(contentText(message.content)),
    reasoning: message.reasoning || "",
    calls: (message.tool_calls || []).map((call) => ({ id: call.id, name: call.name, arguments: JSON.stringify(call.arguments ?? {}) })),
    source: output.provider_kind === "scripted" ? "scripted provider" : output.model || "",
  };
}

/** The lines of a diff with their looks; signs that nobody sees, or that turn text round, are spelt. */
export function diffLines(text) {
  return text.replace(/\n$/, "").split("\n").map((line) => ({ look: look(line), text: line.replace(/[^\P{C}\t]/gu, spelt) }));
}

function look(line) {
  if (/^(\+\+\+|---|@@|diff |index )/.test(line)) return "place";
  return line.startsWith("+") ? "add" : line.startsWith("-") ? "remove" : "same";
}

function spelt(sign) {
  return `\\u${sign.codePointAt(0).toString(16).padStart(4, "0")}`;
}

function isDiff(text) {
  return /^(?:diff [^\n]*\n|index [^\n]*\n)*--- [^\n]+\n\+\+\+ [^\n]+\n@@ /.test(text);
}

/** `name({"city": "Bern"})` */
export function callText(call) {
  return `${call.name.replace("___", "/")}(${call.arguments})`;
}

function isReply(output) {
  return output?.kind === "reply" && output.message?.role === "assistant";
}

function contentText(content) {
  if (typeof content === "string") return content;
  return (content || []).map((part) => (part.kind === "text" ? part.text : "")).join("");
}

/** An answer that is a JSON object, as people read it. */
function indented(text) {
  if (!text.startsWith("{")) return text;
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

/** Fragments of the JSON of one call's arguments come one after another. */
function withCall(calls, { id, name, arguments: more }) {
  const fragment = typeof more === "string" ? more : JSON.stringify(more ?? {});
  const known = calls.findIndex((call) => call.id === id);
  if (known < 0) return [...calls, { id, name, arguments: fragment }];
  return calls.map((call, place) => (place === known ? { ...call, arguments: call.arguments + fragment } : call));
}

/** Text of one frame: a string, or the text or delta that an object carries, else its JSON on a line of its own. */
function frameText(data) {
  if (typeof data === "string") return data;
  if (data && typeof data === "object") {
    for (const key of ["text", "delta"]) if (typeof data[key] === "string") return data[key];
  }
  return `${JSON.stringify(data)}\n`;
}

function resultText(output) {
  return typeof output === "string" ? output : JSON.stringify(output ?? null, null, 2);
}
