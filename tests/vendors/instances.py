"""A small instance of a JSON Schema, so that the default answer fits what was asked for."""

from collections.abc import Mapping
from typing import Any


def instance(schema: Mapping[str, Any], text: str, root: Mapping[str, Any] | None = None) -> Any:
    """The smallest value that is valid; its texts are `text`. Covers what pydantic writes, no `pattern` or `format`."""
    root = root or schema
    if "$ref" in schema:
        return instance(_referred(schema["$ref"], root), text, root)
    for key in ("const", "default"):
        if key in schema:
            return schema[key]
    if schema.get("enum"):
        return schema["enum"][0]
    for key in ("anyOf", "oneOf", "allOf"):
        if schema.get(key):
            return instance(schema[key][0], text, root)
    return _of_type(schema, text, root)


def _referred(reference: str, root: Mapping[str, Any]) -> Mapping[str, Any]:
    found = root
    for name in reference.removeprefix("#/").split("/"):
        found = found[name]
    return found


def _of_type(schema: Mapping[str, Any], text: str, root: Mapping[str, Any]) -> Any:
    kind = schema.get("type", "object" if "properties" in schema else "string")
    kind = kind[0] if isinstance(kind, list) else kind
    if kind == "object":
        required = schema.get("required", [])
        parts = schema.get("properties", {})
        return {name: instance(part, text, root) for name, part in parts.items() if name in required}
    if kind == "array":
        return [instance(schema.get("items", {}), text, root) for _ in range(schema.get("minItems", 1))]
    if kind in ("integer", "number"):
        return schema.get("minimum", schema.get("exclusiveMinimum", -1) + 1)
    if kind == "string":
        return text[: schema.get("maxLength", 80)].ljust(schema.get("minLength", 0), ".")
    return {"boolean": True, "null": None}[kind]
