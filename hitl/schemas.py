"""The shape of the value that a question asks for."""

import json
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import SchemaError
from pydantic import TypeAdapter

from hitl.errors import InvalidAnswer

Schema = dict[str, Any]

_FORMATS = FormatChecker()


def schema_of(wanted: "type[Any] | Schema | None") -> Schema | None:
    """JSON Schema of a pydantic model or type; a schema stays as it is. Raises ValueError for what is none."""
    if wanted is None:
        return None
    if not isinstance(wanted, dict):
        return TypeAdapter(wanted).json_schema()
    try:
        Draft202012Validator.check_schema(wanted)
    except SchemaError as exc:
        raise ValueError(exc.message) from exc
    if foreign := [text for text in _references(wanted) if not text.startswith("#")]:
        raise ValueError(f"it refers to {foreign[0]!r}, outside of itself")
    return wanted


def check_value(schema: Schema, value: Any) -> None:
    """Raises InvalidAnswer naming each field that does not fit."""
    errors = sorted(
        Draft202012Validator(schema, format_checker=_FORMATS).iter_errors(value),
        key=lambda error: list(map(str, error.absolute_path)),
    )
    if errors:
        raise InvalidAnswer(
            [
                {"field": ".".join(["value", *map(str, error.absolute_path)]), "message": error.message[:300]}
                for error in errors[:20]
            ]
        )


def asks_for_secret(schema: Schema) -> bool:
    """Is a value marked as one that is not shown, as pydantic marks its SecretStr?"""
    if schema.get("format") == "password" or schema.get("writeOnly") is True:
        return True
    return any(asks_for_secret(part) for part in _parts(schema))


def is_json(value: Any) -> bool:
    """Can it be stored and sent as it is?"""
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        return False
    return True


def is_one_of(value: Any, choices: list[Any]) -> bool:
    """As JSON: Python takes True for 1."""
    return json.dumps(value, sort_keys=True) in {json.dumps(one, sort_keys=True) for one in choices}


def typed(wanted: "type[Any] | Schema | None", value: Any) -> Any:
    """The value as the model that the job asked for. Raises pydantic's ValidationError."""
    if wanted is None or isinstance(wanted, dict) or value is None:
        return value
    return TypeAdapter(wanted).validate_python(value)


_BY_NAME = ("properties", "patternProperties", "$defs", "definitions", "dependentSchemas")
_DATA = ("const", "default", "enum", "examples")


def _parts(schema: Schema) -> list[Schema]:
    """The schemas right inside this one. Names of fields may be words of JSON Schema, and data may look like one."""
    found = [part for key, part in schema.items() if key not in (*_BY_NAME, *_DATA)]
    named = [list(part.values()) for key, part in schema.items() if key in _BY_NAME and isinstance(part, dict)]
    each = [one for part in (*found, *named) for one in (part if isinstance(part, list) else [part])]
    return [one for one in each if isinstance(one, dict)]


def _references(part: Any) -> list[str]:
    """Every `$ref`: one that leads elsewhere would be fetched from there."""
    if isinstance(part, dict):
        own = [value for key, value in part.items() if key in ("$ref", "$dynamicRef") and isinstance(value, str)]
        return own + [text for value in part.values() for text in _references(value)]
    return [text for value in part for text in _references(value)] if isinstance(part, list) else []
