/** What events say in rows of the log; `rows.py` and `words.py` say the same of recorded ones. */

function short(text) {
  const letters = [...String(text ?? "").split(/\s+/).filter(Boolean).join(" ")];
  return letters.length <= 200 ? letters.join("") : `${letters.slice(0, 199).join("")}…`;
}

/** What the events of agent flows say; `words_of` of flow_words.py says the same of recorded ones. */
function flowText(type, data) {
  if (type === "artifact:save") return `${data.name} version ${data.version}`;
  if (type === "flow:limit") return `${data.iteration} of ${data.max} iterations: ${data.granted ? `${data.granted} more granted` : "no more granted"}`;
  if (type === "flow:blocked") return `${data.step} asks: ${short(data.prompt)} (${data.answered ? `answered${data.by === "agent" ? " by an agent" : ""}` : "nobody answered"})`;
  if (type === "flow:loop" && !data.cycle) return `${data.step} ran ${data.count} times in a row (${data.action})`;
  if (type === "flow:loop") return `${data.cycle.join(" → ")}, ${data.threshold} times: the judge chose ${data.verdict || "nothing"}`;
  const source = data.sub ? `${data.from || ""} / ${data.sub}` : data.from || "";
  const way = data.to ? `${source} → ${data.to}` : source;
  const why = data.reason || data.condition;
  return why ? `${way}: ${short(why)}` : way;
}

function budgetText(data) {
  if (data.granted) return Object.entries(data.granted).map(([name, amount]) => `${name} +${amount}`).join(", ");
  return "spent" in data ? `${data.limit}: ${data.spent} of ${data.hard}` : data.limit;
}

/** An event in a few words. */
export function eventText(event) {
  const data = event.data || {};
  const step = event.step || data.update ? `${event.step || data.update} ` : "";
  if (event.type === "log:write") return String(data.message ?? "");
  if (event.type === "run:progress") return `${data.current} of ${data.total} ${data.message || ""}`.trim();
  if (event.type.startsWith("budget:")) return budgetText(data);
  if (/^(flow|artifact):/.test(event.type)) return flowText(event.type, data);
  if (data.error) return `${step}${data.error.type || ""}: ${data.error.message || ""}`;
  return `${step}${data.signal || data.reason || ""}`.trim();
}
