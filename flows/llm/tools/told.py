"""What a model is told of a call, read from what the run recorded of it. Pure: a frontend is told the same."""

from collections.abc import Mapping
from typing import Any

from flows.llm.tools.results import ERROR_CHARS, shortened

_SPEAKING = ("ArgumentsUnfit", "ResultUnfit", "ToolRefused", "UnknownTool")


def result_text(output: Any) -> str:
    """Of the recorded output of a call's step: the text, or `{"text", "state"}` of one that changes the state."""
    return str(output["text"]) if isinstance(output, Mapping) else str(output)


def failure_text(tool: str, error: Mapping[str, Any]) -> str:
    """Of a step that failed with `{"type", "message"}`. No traceback: it goes to the vendor, and helps no model."""
    kind, message = str(error.get("type")), str(error.get("message"))
    told = message if kind in _SPEAKING else f"{tool} failed with {kind}: {message}"
    return shortened(told, ERROR_CHARS)


def denial_text(outcome: Mapping[str, Any] | None, arguments: Mapping[str, Any]) -> str:
    """Of the recorded outcome of an approval, for a call with these arguments. Empty: it is approved, or the outcome
    decides nothing (the question is still open, or its end fails the run)."""
    if outcome is None or not ("withdrawn" in outcome or "decision" in outcome):
        return ""
    if "withdrawn" in outcome:
        return f"The call was not approved: {outcome['withdrawn'] or 'the question was withdrawn'}."
    if outcome["decision"] != "approve":
        return _denied(outcome["answers"])
    meant = [arguments if one["value"] is None else one["value"] for one in outcome["answers"]]
    if any(one != meant[0] for one in meant):  # nobody approves arguments that they did not see
        return "The call was not approved: people approved different arguments."
    return ""


def _denied(answers: list[dict[str, Any]]) -> str:
    who = " and ".join(one["by"] for one in answers if one["decision"] == "deny")
    comments = "\n".join(one["comment"] for one in answers if one["comment"])
    return f"denied by {who}{f': {comments}' if comments else ''}" if who else "denied: nobody approved it in time"
