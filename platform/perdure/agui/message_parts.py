"""Messages of the protocol as TanStack AI's pages hold them: made of parts, results within the message that called."""

from typing import Any

from ag_ui.core import AssistantMessage, Message, ReasoningMessage, ToolMessage, UserMessage

Json = dict[str, Any]


def as_parts(messages: list[Message]) -> list[Json]:
    """Messages of the protocol as a page shows them."""
    shown: list[Json] = []
    callers: dict[str, Json] = {}
    thoughts: list[Json] = []
    for message in messages:
        if isinstance(message, ReasoningMessage):
            thoughts.append({"type": "thinking", "content": message.content})
        elif isinstance(message, ToolMessage):
            _add_result(shown, callers.get(message.tool_call_id), message)
        elif isinstance(message, AssistantMessage):
            one = {"id": message.id, "role": "assistant", "parts": [*thoughts, *_said(message), *_calls(message)]}
            callers |= {call.id: one for call in message.tool_calls or []}
            shown.append(one)
            thoughts = []
        elif message.role in ("user", "system", "developer"):
            role = "user" if message.role == "user" else "system"
            shown.append({"id": message.id, "role": role, "parts": _said(message)})
    return shown


def _said(message: Any) -> list[Json]:
    if not message.content:
        return []
    if isinstance(message, UserMessage) and not isinstance(message.content, str):
        parts = [part.model_dump(mode="json", by_alias=True) for part in message.content]
        return [{"type": "text", "content": part["text"]} if part["type"] == "text" else part for part in parts]
    return [{"type": "text", "content": message.content}]


def _calls(message: AssistantMessage) -> list[Json]:
    return [
        {
            "type": "tool-call", "id": call.id, "name": call.function.name, "arguments": call.function.arguments,
            "state": "input-complete",
        } for call in message.tool_calls or []
    ]  # fmt: skip


def _add_result(shown: list[Json], caller: Json | None, message: ToolMessage) -> None:
    state = "error" if message.error else "complete"
    content = message.content if isinstance(message.content, str) else _text(message.content)
    result = {"type": "tool-result", "toolCallId": message.tool_call_id, "content": content, "state": state}
    if message.error:
        result["error"] = message.error
    if caller is None:
        shown.append({"id": message.id, "role": "assistant", "parts": [result]})
        return
    for part in caller["parts"]:
        if part["type"] == "tool-call" and part["id"] == message.tool_call_id:
            part |= {"state": state, "output": content}
    caller["parts"].append(result)


def _text(parts: list[Any]) -> str:
    return "".join(part.text for part in parts if part.type == "text")
