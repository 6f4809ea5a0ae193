"""What steps recorded, read as what an assistant said and called."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from ag_ui.core import TokenUsage

from perdure.agui.adapter import ids
from perdure.agui.adapter.parts import Whole, WholeCall


def is_reply(output: Any) -> bool:
    """Is it a `providers.replies.Reply`, as a model call records it?"""
    return isinstance(output, dict) and output.get("kind") == "reply" and isinstance(output.get("message"), dict)


def whole_of(run: UUID, step: str, attempt: int, output: Any, frames: int) -> Whole:
    """What the step said: a model's reply, or a text or a `text` of a step that streamed."""
    if is_reply(output):
        message = output["message"]
        calls = _calls(run, step, attempt, message.get("tool_calls") or [])
        return Whole(_text(message.get("content")), str(message.get("reasoning") or ""), calls, frames)
    if isinstance(output, dict):
        output = output.get("text")
    return Whole(output if frames and isinstance(output, str) else "", frames=frames)


def _calls(run: UUID, step: str, attempt: int, recorded: list[dict[str, Any]]) -> tuple[WholeCall, ...]:
    seen: dict[str, int] = {}
    made: list[WholeCall] = []
    for one in recorded:
        vendor_id = str(one["id"])
        own_id = ids.call_id(run, step, attempt, vendor_id, seen.get(vendor_id, 0))
        seen[vendor_id] = seen.get(vendor_id, 0) + 1
        made.append(WholeCall(own_id, vendor_id, str(one["name"]), dict(one.get("arguments") or {})))
    return tuple(made)


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    return "".join(str(part.get("text", "")) for part in parts if part.get("kind") == "text")


def model_message(output: Mapping[str, Any], whole: Whole) -> dict[str, Any]:
    """The reply's message as `providers.messages.Message` dumps it, its calls under the protocol's ids."""
    message = dict(output["message"])
    calls = zip(message.get("tool_calls") or [], whole.calls, strict=True)
    return message | {"tool_calls": [one | {"id": call.id} for one, call in calls]}


def usage_of(output: Any) -> TokenUsage | None:
    """What a model call spent; None for another step."""
    if not is_reply(output) or not isinstance(spent := output.get("usage"), dict):
        return None
    given, answered = int(spent.get("input_tokens") or 0), int(spent.get("output_tokens") or 0)
    return TokenUsage(
        provider=output.get("provider_kind") or None, model=output.get("model") or None, input_tokens=given,
        output_tokens=answered, total_tokens=given + answered, cached_input_tokens=spent.get("cached_tokens") or None,
        reasoning_tokens=spent.get("reasoning_tokens") or None,
    )  # fmt: skip
