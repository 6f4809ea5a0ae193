"""What a tool returned, as the text that the model reads and the step records."""

from typing import Any

from pydantic_core import PydanticSerializationError, to_json

from flows.llm.tools.conf import get_settings
from flows.llm.tools.errors import ResultUnfit

ERROR_CHARS = 2_000


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
