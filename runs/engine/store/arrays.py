"""PostgreSQL's array literals (PostgreSQL, "Array Value Input").

psycopg's own dumper looks for the type of each value and picks the narrowest of the integers, so that one statement
would be prepared anew for every mixture; the casts in the statement know the types already.
"""

import json
from collections.abc import Callable, Iterable
from datetime import datetime
from functools import lru_cache
from typing import Any

from runs.engine.store.transitions import COLUMNS, Change


def literal(kind: str, values: Iterable[Any]) -> str:
    """`{...}` of values for a column of type `kind` (uuid, text, jsonb, int, bigint, bool, timestamptz)."""
    item = _ITEMS.get(kind, str)
    return "{" + ",".join(["NULL" if value is None else item(value) for value in values]) + "}"


def _quoted(text: str) -> str:
    if "\\" in text:
        text = text.replace("\\", "\\\\")
    return '"' + text.replace('"', '\\"') + '"'


_ITEMS: dict[str, Callable[[Any], str]] = {
    "text": _quoted,
    "jsonb": _quoted,
    # rows of one run, and moments of one step, are the same objects over and over
    "uuid": lru_cache(maxsize=1024)(lambda value: value.hex),
    "timestamptz": lru_cache(maxsize=1024)(datetime.isoformat),
}


def change_text(change: Change) -> str:
    """One JSON object; columns of JSON hold text already and go in as they are."""
    parts = [f'"notes":{json.dumps(change.notes)}'] if change.notes else []
    for name, value in change.values.items():
        is_text = COLUMNS[name] == "jsonb" and value is not None
        parts.append(f'"{name}":{value if is_text or type(value) is int else json.dumps(value, default=str)}')
    return "{" + ",".join(parts) + "}"
