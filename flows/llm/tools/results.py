"""What a tool returned, as the text that the model reads and the step records."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic_core import PydanticSerializationError, to_json

from flows.llm.tools.conf import get_settings
from flows.llm.tools.errors import ResultUnfit

ERROR_CHARS = 2_000


@dataclass(frozen=True, slots=True)
class ToolResult:
    """For a tool that changes the run's state: `content` is told to the model, as what other tools return is.

    `state` is a JSON Merge Patch (RFC 7396) of `step.state`: members are replaced, those that are None are removed,
    objects are merged. It fits whatever the state has become. The chat applies it once the call is recorded.
    """

    content: Any
    state: Mapping[str, Any]


def recorded(tool: str, value: Any, note: str = "") -> Any:
    """What a call's step records: a text, or `{"text", "state"}` of a ToolResult. Raises ResultUnfit."""
    if isinstance(value, ToolResult):
        return {"text": note + as_text(tool, value.content), "state": dict(value.state)}
    return note + as_text(tool, value)


def as_text(tool: str, value: Any) -> str:
    """A text as it is, anything else as JSON, shortened. Raises ResultUnfit."""
    if isinstance(value, str):
        return shortened(value, get_settings().result_chars)
    try:
        return shortened(to_json(value).decode(), get_settings().result_chars)
    except (PydanticSerializationError, ValueError, RecursionError) as exc:
        raise ResultUnfit(tool, f"{type(value).__name__} is not JSON ({str(exc)[:300]})") from exc


def shortened(text: str, limit: int) -> str:
    """Storable text of about `limit` characters: its beginning and its end, and between them how much is missing."""
    if len(text) > limit:
        head, tail = limit - limit // 4, limit // 4
        note = f"\n[{len(text) - limit} of {len(text)} characters are left out here]\n"
        text = text[:head] + note + text[len(text) - tail :]
    return text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()


def merged(document: Any, patch: Any) -> Any:
    """The document after a JSON Merge Patch (RFC 7396)."""
    if not isinstance(patch, Mapping):
        return patch
    members = dict(document) if isinstance(document, Mapping) else {}
    for name, value in patch.items():
        if value is None:
            members.pop(name, None)
        else:
            members[name] = merged(members.get(name), value)
    return members
