"""What a recorded result of a streaming step says; `frames.js` says the same of live ones."""

import json
from dataclasses import dataclass
from typing import Any

from flows.llm.tools.naming import shown_tool_name


@dataclass(frozen=True, slots=True)
class Said:
    """`calls` are as in `weather({"city": "Bern"})`; `source` is the model, or `scripted provider`, which is none."""

    name: str
    text: str
    reasoning: str = ""
    calls: tuple[str, ...] = ()
    source: str = ""


def said_by(name: str, output: Any) -> Said | None:
    """A text, or a model's reply as model calls record it; None for anything else."""
    if isinstance(output, str):
        return Said(name, output)
    if not isinstance(output, dict) or output.get("kind") != "reply" or not isinstance(output.get("message"), dict):
        return None
    message = output["message"]
    source = "scripted provider" if output.get("provider_kind") == "scripted" else str(output.get("model") or "")
    calls = tuple(_call(call) for call in message.get("tool_calls") or [])
    return Said(name, _indented(_text(message.get("content"))), str(message.get("reasoning") or ""), calls, source)


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    return "".join(str(part.get("text") or "") for part in content or [] if part.get("kind") == "text")


def _indented(text: str) -> str:
    """An answer that is a JSON object, as people read it."""
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False) if text.startswith("{") else text
    except (ValueError, RecursionError):
        return text


def _call(call: dict[str, Any]) -> str:
    arguments = json.dumps(call.get("arguments") or {}, ensure_ascii=False, separators=(",", ":"))
    return f"{shown_tool_name(str(call.get('name')))}({arguments})"
