"""A thread as its models are told it: the conversation in the words of providers, in a form that vendors accept."""

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import groupby
from typing import Any

from ag_ui.core import Message as ProtocolMessage
from pydantic import TypeAdapter, ValidationError

from flows.llm.conversation import answered
from perdure.agui.models import Thread
from perdure.agui.transcript import settle_ended
from providers.messages import ImagePart, Message, TextPart, ToolCall

Kept = Sequence[tuple[ProtocolMessage, Any]]
"""Messages of a turn, each with the form that models were told it in, if that was kept."""

_message: TypeAdapter[ProtocolMessage] = TypeAdapter(ProtocolMessage)


def history_for_models(thread: Thread, max_bytes: int, new: Sequence[ProtocolMessage] = ()) -> list[Message]:
    """All that was said up to now, `new` at the end; each call has its result right behind it.

    It begins with what a person said. What is longer than `max_bytes` of JSON loses whole turns from its front, never
    a call without its result; the last turn always stays.
    """
    settle_ended(thread)
    return arranged([*_by_turn(thread), [(message, None) for message in new]], max_bytes)


def arranged(turns: Iterable[Kept], max_bytes: int) -> list[Message]:
    """The conversation that these turns are; see `history_for_models`."""
    names: dict[str, str] = {}
    kept = _newest(_joined([list(_told(rows, names)) for rows in turns]), max_bytes)
    while kept and kept[0].role != "user":
        kept.pop(0)
    return answered(kept)


def as_model_message(message: ProtocolMessage, names: dict[str, str] | None = None) -> Message | None:
    """None for what models are not told: reasoning, activities, and what claims to be the system.

    `names` of the tools by the ids of their calls. Parts that no model takes are left out.
    """
    if message.role == "user":
        content = message.content if isinstance(message.content, str) else list(_parts(message.content))
        return Message(role="user", content=content) if content else None
    if message.role == "assistant":
        calls = [ToolCall(id=one.id, name=one.function.name, arguments=_arguments(one.function.arguments))
                 for one in message.tool_calls or ()]  # fmt: skip
        text = message.content or ""
        return Message(role="assistant", content=text, tool_calls=calls) if text or calls else None
    if message.role == "tool":
        content = message.content if isinstance(message.content, str) else _text_of(message.content)
        told = content if not message.error else "\n".join(part for part in (content, message.error) if part)
        return Message(
            role="tool", content=told, tool_call_id=message.tool_call_id,
            tool_name=(names or {}).get(message.tool_call_id), is_error=bool(message.error),
        )  # fmt: skip
    return None


def _by_turn(thread: Thread) -> Iterator[Kept]:
    rows = thread.messages.order_by("turn__number", "position").values_list("turn__number", "data", "model_message")
    for _, group in groupby(rows, key=lambda row: row[0]):
        yield [(_message.validate_python(data), kept) for _, data, kept in group]


def _told(rows: Kept, names: dict[str, str]) -> Iterator[Message]:
    for message, kept in rows:
        told = Message.model_validate(kept) if kept else as_model_message(message, names)
        if told is None or (told.role == "assistant" and not told.text and not told.tool_calls):
            continue  # vendors refuse an answer that says nothing
        names.update({call.id: call.name for call in told.tool_calls})
        yield told


def _joined(turns: list[list[Message]]) -> list[list[Message]]:
    """A turn that brings the results of an earlier one's calls, and that one, are dropped or kept together."""
    units: list[list[Message]] = []
    asked: dict[str, int] = {}  # call → its unit
    for turn in turns:
        first = min([asked[one.tool_call_id] for one in turn if one.tool_call_id in asked], default=len(units))
        merged = [message for unit in units[first:] for message in unit] + turn
        units = [*units[:first], merged]
        asked |= {call.id: first for message in merged for call in message.tool_calls}
    return units


def _newest(units: list[list[Message]], max_bytes: int) -> list[Message]:
    kept: list[Message] = []
    left = max_bytes
    for unit in reversed(units):
        left -= sum(len(message.model_dump_json().encode()) for message in unit)
        if left < 0 and kept:
            break
        kept = unit + kept
    return kept


def _parts(parts: Sequence[Any]) -> Iterator[TextPart | ImagePart]:
    for part in parts:
        if part.type == "text" and part.text:
            yield TextPart(text=part.text)
        elif part.type == "image":
            with suppress(ValidationError):  # no image that a model could look at
                yield _image(part.source)


def _image(source: Any) -> ImagePart:
    if source.type == "data":
        return ImagePart(media_type=source.mime_type, data=source.value)
    return ImagePart(url=source.value, **({"media_type": source.mime_type} if source.mime_type else {}))


def _text_of(parts: Sequence[Any]) -> str:
    return "\n".join(part.text for part in parts if part.type == "text")


def _arguments(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
