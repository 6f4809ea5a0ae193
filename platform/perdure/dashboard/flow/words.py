"""What the events of agent flows say in a few words; `flowText` of event_text.js says the same of live ones. Pure."""

from typing import Any

_LONGEST = 200
METHODS = {
    "aggregate": "by what the sub-steps matched",
    "when": "by its expression",
    "tag": "by the agent's tag",
    "ai_judge": "a judge chose among the ai() rules",
    "label_judge": "a judge chose among the labels",
    "default": "no rule matched: the default",
    "return": "by what was returned",
    "next": "the step has no rules: the next one",
    "interrupt": "a message interrupted the step: it is done again",
}

KINDS = {
    "step_error": "aborted: the step failed",
    "rule_no_match": "aborted: no rule matched",
    "blocked": "aborted: nobody answered the agent's question",
    "user_input_cancelled": "aborted: nobody answered",
    "iteration_limit": "aborted: no more iterations were granted",
    "loop_detected": "aborted: the same step too often in a row",
    "step_transition": "aborted: the rule leads to ABORT",
}


def words_of(type_: str, data: dict[str, Any]) -> str:
    """Of `flow:*` and `artifact:save`; empty for other events."""
    match type_:
        case "flow:transition":
            return _transition(data)
        case "flow:loop":
            return _loop(data)
        case "flow:limit":
            granted = data.get("granted")
            more = f"{granted} more granted" if granted else "no more granted"
            return f"{data.get('iteration')} of {data.get('max')} iterations: {more}"
        case "flow:blocked":
            by = "answered by an agent" if data.get("by") == "agent" else "answered"
            end = by if data.get("answered") else "nobody answered"
            return f"{data.get('step')} asks: {_short(data.get('prompt'))} ({end})"
        case "artifact:save":
            return f"{data.get('name')} version {data.get('version')}"
    return ""


def how_of(data: dict[str, Any]) -> str:
    """How a transition was chosen."""
    if data.get("kind"):
        return KINDS.get(str(data["kind"]), str(data["kind"]).replace("_", " "))
    if data.get("instead_of"):
        return f"a loop monitor's judge, instead of {data['instead_of']}"
    rule = f", rule {data['rule']}" if data.get("rule") else ""
    return f"{METHODS.get(str(data.get('method')), data.get('method') or '')}{rule}"


def _transition(data: dict[str, Any]) -> str:
    source = f"{data.get('from') or ''} / {data['sub']}" if data.get("sub") else str(data.get("from") or "")
    way = f"{source} → {data['to']}" if data.get("to") else source
    why = data.get("reason") or data.get("condition")
    return f"{way}: {_short(why)}" if why else way


def _loop(data: dict[str, Any]) -> str:
    if "cycle" not in data:
        return f"{data.get('step')} ran {data.get('count')} times in a row ({data.get('action')})"
    verdict = data.get("verdict")
    chosen = f"the judge chose {verdict}" if verdict else "the judge chose nothing"
    return f"{' → '.join(str(one) for one in data['cycle'])}, {data.get('threshold')} times: {chosen}"


def _short(text: Any) -> str:
    line = " ".join(str(text or "").split())
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"
