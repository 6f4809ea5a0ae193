"""JSON bodies, read so strictly that nothing later meets a value it cannot store."""

import json
import math
from collections import Counter
from typing import Any

from rest_framework.parsers import BaseParser

from runs.api.errors import MalformedJson
from runs.conf import get_settings
from runs.errors import PayloadTooLarge


class StrictJsonParser(BaseParser):
    """One JSON value in UTF-8.

    Raises PayloadTooLarge, and MalformedJson for broken or too deeply nested JSON, a key given twice (whichever is
    dropped, somebody else may have read the other), NaN and infinities, NUL and lone surrogates.
    """

    media_type = "application/json"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        settings = get_settings()
        # Twice a payload's limit: escapes and white space make the text longer than what is stored.
        limit = 2 * settings.max_payload_bytes
        raw = stream.read(limit + 1)
        if len(raw) > limit:
            raise PayloadTooLarge("The request's body", len(raw), limit)
        value = _loads(raw) if raw else {}
        # The payload may be as deep as the limit; it stands inside the body's object.
        _check(value, settings.max_payload_depth + 1)
        return value


def _loads(raw: bytes) -> Any:
    try:
        return json.loads(raw.decode(), object_pairs_hook=_object, parse_constant=_refuse, parse_float=_float)
    except UnicodeDecodeError as exc:
        raise MalformedJson("it is not UTF-8") from exc
    except RecursionError as exc:
        raise MalformedJson("it is nested too deeply") from exc
    except ValueError as exc:
        raise MalformedJson(str(exc)) from exc


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        twice, _ = Counter(name for name, _ in pairs).most_common(1)[0]
        raise MalformedJson(f"the key {twice[:60]!r} is given twice in one object")
    return found


def _refuse(constant: str) -> Any:
    raise MalformedJson(f"{constant} is not JSON")


def _float(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise MalformedJson("a number is too large")
    return value


def _check(value: Any, depth: int) -> None:
    level = [value]
    for _ in range(depth + 1):
        if not level:
            return
        level = [inner for item in level for inner in _members(item)]
    if level:
        raise MalformedJson(f"it is nested deeper than {depth} levels")


def _members(item: Any) -> list[Any]:
    if isinstance(item, str):
        _check_text(item)
    if isinstance(item, dict):
        return [*item.keys(), *item.values()]
    return item if isinstance(item, list) else []


def _check_text(text: str) -> None:
    if "\x00" in text:
        raise MalformedJson("a string holds a NUL character")
    # Surrogates that form a pair were joined by the JSON reader; what is left is no text.
    if not text.isascii() and any("\ud800" <= letter <= "\udfff" for letter in text):
        raise MalformedJson("a string holds a lone surrogate")
