"""A small instance of a JSON Schema, filled with the words of a prompt: valid, deterministic and without sense."""

from collections.abc import Iterator, Mapping
from itertools import cycle
from typing import Any

import jsonschema
from jsonschema.protocols import Validator

from providers.errors import BadRequest

DEEPEST = 3
MOST_PARTS = 2_000
FORMATS = {
    "date": "2026-01-01",
    "date-time": "2026-01-01T00:00:00Z",
    "time": "00:00:00Z",
    "duration": "P1D",
    "email": "someone@example.com",
    "uri": "https://example.com/",
    "url": "https://example.com/",
    "uuid": "00000000-0000-4000-8000-000000000000",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "hostname": "example.com",
}


def instance(schema: Mapping[str, Any], words: list[str]) -> Any:
    """Raises BadRequest where a schema asks for more than this can make up (such as a `pattern`)."""
    made = _Maker(schema, words).make(schema, 0)
    checker: type[Validator] = jsonschema.validators.validator_for(schema)
    error = next(checker(schema).iter_errors(made), None)
    if error is not None:
        place = ".".join(str(part) for part in error.absolute_path) or "the answer"
        raise BadRequest(f"The scripted provider cannot make up {place} for this schema; give it a rule with json.")
    return made


class _Maker:
    def __init__(self, root: Mapping[str, Any], words: list[str]) -> None:
        self._root = root
        self._words: Iterator[str] = cycle(words or ["word"])
        self._parts = 0

    def make(self, schema: Any, depth: int) -> Any:
        self._parts += 1
        if self._parts > MOST_PARTS or depth > 40:  # a schema that requires itself has no instance
            raise BadRequest("The scripted provider cannot make up an answer of this size; give it a rule with json.")
        schema = self._resolved(schema)
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return schema["enum"][0]
        if "default" in schema:
            return schema["default"]
        for choice in ("anyOf", "oneOf"):
            if schema.get(choice):
                return self.make(self._simplest(schema[choice], depth), depth)
        return self._of_type(_type_of(schema), schema, depth)

    def _of_type(self, name: str, schema: Mapping[str, Any], depth: int) -> Any:
        match name:
            case "object":
                return self._object(schema, depth)
            case "array":
                return self._array(schema, depth)
            case "integer" | "number":
                return _number(schema, whole=name == "integer")
            case "boolean":
                return True
            case "null":
                return None
            case _:
                return self._string(schema)

    def _object(self, schema: Mapping[str, Any], depth: int) -> dict[str, Any]:
        required = schema.get("required", [])
        wanted = [name for name in schema.get("properties", {}) if name in required or depth < DEEPEST]
        return {name: self.make(schema["properties"][name], depth + 1) for name in wanted}

    def _array(self, schema: Mapping[str, Any], depth: int) -> list[Any]:
        length = max(schema.get("minItems", 0), 1 if depth < DEEPEST else 0)
        prefix = [self.make(item, depth + 1) for item in schema.get("prefixItems", [])]
        items = schema.get("items", {})
        rest = 0 if items is False else max(min(length, schema.get("maxItems", length)) - len(prefix), 0)
        return prefix + [self.make(items, depth + 1) for _ in range(rest)]

    def _string(self, schema: Mapping[str, Any]) -> str:
        if schema.get("format") in FORMATS:
            return FORMATS[schema["format"]]
        text = " ".join(next(self._words) for _ in range(4))
        while len(text) < schema.get("minLength", 0):
            text += " " + next(self._words)
        return text[: schema.get("maxLength", len(text))]

    def _simplest(self, choices: list[Any], depth: int) -> Any:
        """The first choice that says something, null and nesting only where there is no other or it is deep."""
        resolved = [self._resolved(choice) for choice in choices]
        if depth >= DEEPEST:
            resolved.sort(key=lambda choice: _type_of(choice) in {"object", "array"})
        return next((choice for choice in resolved if _type_of(choice) != "null"), resolved[0])

    def _resolved(self, schema: Any) -> Mapping[str, Any]:
        seen = 0
        while isinstance(schema, Mapping) and "$ref" in schema and seen < 20:
            schema, seen = self._pointed(schema["$ref"]), seen + 1
        if not isinstance(schema, Mapping):
            return {}
        if "allOf" in schema:
            return _merged([schema, *(self._resolved(part) for part in schema["allOf"])])
        return schema

    def _pointed(self, reference: str) -> Any:
        found: Any = self._root
        for part in reference.removeprefix("#").strip("/").split("/"):
            found = found.get(part.replace("~1", "/").replace("~0", "~"), {}) if isinstance(found, Mapping) else {}
        return found


def _merged(parts: list[Mapping[str, Any]]) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for part in parts:
        properties = {**merged.get("properties", {}), **part.get("properties", {})}
        required = [*merged.get("required", []), *part.get("required", [])]
        merged |= {name: value for name, value in part.items() if name != "allOf"}
        if properties:
            merged |= {"properties": properties, "required": required}
    return merged


def _type_of(schema: Mapping[str, Any]) -> str:
    name = schema.get("type")
    if isinstance(name, list):
        return next((one for one in name if one != "null"), "null")
    if name is None:
        return "object" if "properties" in schema else "array" if "items" in schema else "string"
    return str(name)


def _number(schema: Mapping[str, Any], *, whole: bool) -> float | int:
    step = schema.get("multipleOf", 1)
    low = schema.get("minimum", schema.get("exclusiveMinimum"))
    high = schema.get("maximum", schema.get("exclusiveMaximum"))
    value = low if low is not None else min(1, high) if high is not None else 1
    value = -(-value // step) * step
    if "exclusiveMinimum" in schema and value <= schema["exclusiveMinimum"]:
        value += step
    if high is not None and (value > high or value == schema.get("exclusiveMaximum")) and not whole and low is not None:
        value = (low + high) / 2
    return int(value) if whole else value
