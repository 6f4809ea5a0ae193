"""Values as templates see and print them."""

import json
from typing import Any

from jinja2 import Undefined


class TextData(dict[str, Any]):
    """The data of a text item: a mapping like any other, that prints and compares as its text."""

    def __str__(self) -> str:
        return str(self.get("text", ""))

    def __eq__(self, other: object) -> bool:
        return str(self) == other if isinstance(other, str) else dict.__eq__(self, other)

    def __hash__(self) -> int:  # type: ignore[override]  # dict has none; `unique` and `groupby` need one
        return hash(str(self))


def plain(value: Any) -> Any:
    """Text data as its text, all else as it is."""
    return str(value) if isinstance(value, TextData) else value


def shown(value: Any) -> str:
    """What `{{ value }}` prints: JSON for what is no text, nothing for null."""
    if isinstance(value, Undefined):
        return str(value)  # raises: the name is not there
    if value is None:
        return ""
    if isinstance(value, str | TextData):
        return str(value)
    return as_json(value)


def as_json(value: Any, indent: int | None = None) -> str:
    return json.dumps(value, ensure_ascii=False, indent=min(indent, 8) if indent else None, default=_other)


def _other(value: Any) -> Any:
    if isinstance(value, range | set | tuple):
        return list(value)
    raise TypeError(f"{type(value).__name__} cannot be shown")
