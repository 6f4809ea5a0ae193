"""Whether two inputs are the same to a job: what was left out counts as its default."""

from contextlib import suppress
from datetime import UTC
from typing import Any

from django.utils.dateparse import parse_datetime

from perdure.dashboard.forms.schema_reading import Schema, items_of, resolve, values_of_map


def is_same(one: Any, other: Any, schema: Schema) -> bool:
    """`one` and `other` are JSON values that fit the schema, or should."""
    return bool(_completed(one, schema, schema) == _completed(other, schema, schema))


def _completed(value: Any, part: Schema, root: Schema) -> Any:
    part = resolve(part, root)
    if isinstance(value, dict) and "properties" in part:
        parts = {name: inner for name, inner in part["properties"].items() if isinstance(inner, dict)}
        defaults = {name: inner["default"] for name, inner in parts.items() if "default" in inner}
        known = {name: one for name, one in (defaults | value).items() if not parts.get(name, {}).get("internal")}
        return {name: _completed(one, parts.get(name, {}), root) for name, one in known.items()}
    inner = items_of(part) if isinstance(value, list) else values_of_map(part)
    if inner is not None and isinstance(value, list):
        return [_completed(one, inner, root) for one in value]
    if inner is not None and isinstance(value, dict):
        return {name: _completed(one, inner, root) for name, one in value.items()}
    # In Python 1 and true are equal; in JSON they are not.
    return (value, isinstance(value, bool)) if part.get("format") != "date-time" else _moment(value)


def _moment(value: Any) -> Any:
    with suppress(ValueError):
        at = parse_datetime(value) if isinstance(value, str) else None
        if at is not None and at.tzinfo is not None:
            return at.astimezone(UTC)
    return value
