"""Answers of a wanted type: the schema that is sent, and what becomes of the text that comes."""

import json
import re
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from hitl.errors import InvalidAnswer
from hitl.schemas import check_value

WRAPPED: Final = "value"
_FENCE = re.compile(r"\A\s*```(?:json)?\s*\n(.*?)\n?\s*```\s*\Z", re.DOTALL)
MAX_PROBLEM: Final = 2_000


class InvalidOutput(Exception):
    """Says what does not fit, for the model to read."""


class Output:
    """A type that pydantic knows or a JSON Schema, as a JSON object: others are wrapped in one, as vendors ask for."""

    def __init__(self, type_: Any) -> None:
        self._adapter: TypeAdapter[Any] | None = None if isinstance(type_, dict) else TypeAdapter(type_)
        self._plain: dict[str, Any] = type_ if self._adapter is None else self._adapter.json_schema()
        self._is_wrapped = self._plain.get("type") != "object" and "$ref" not in self._plain
        self.schema = _wrapped(self._plain) if self._is_wrapped else self._plain
        name = type_.get("title") if isinstance(type_, dict) else getattr(type_, "__name__", None)
        self.name = re.sub(r"[^A-Za-z0-9_-]", "_", str(name or "result"))[:64]

    def read(self, text: str) -> Any:
        """The typed value of an answer. Raises InvalidOutput."""
        fenced = _FENCE.match(text)
        try:
            value = json.loads(fenced[1] if fenced else text)
        except (ValueError, RecursionError) as exc:
            raise InvalidOutput(f"it is not JSON: {exc}"[:MAX_PROBLEM]) from None
        if self._is_wrapped:
            if not isinstance(value, dict) or WRAPPED not in value:
                raise InvalidOutput(f"it is no JSON object with the field {WRAPPED!r}")
            value = value[WRAPPED]
        return self._fitting(value)

    def _fitting(self, value: Any) -> Any:
        try:
            if self._adapter is not None:
                return self._adapter.validate_json(json.dumps(value))
            check_value(self._plain, value)
        except ValidationError as exc:
            raise InvalidOutput(_problems(exc)) from None
        except InvalidAnswer as exc:
            told = "; ".join(f"{field['field']}: {field['message']}" for field in exc.fields)
            raise InvalidOutput(told[:MAX_PROBLEM]) from None
        return value


def _wrapped(schema: dict[str, Any]) -> dict[str, Any]:
    inner = dict(schema)
    outer: dict[str, Any] = {"type": "object", "properties": {WRAPPED: inner}, "required": [WRAPPED]}
    if (definitions := inner.pop("$defs", None)) is not None:
        outer["$defs"] = definitions  # references begin at the root
    return outer | {"additionalProperties": False}


def _problems(exc: ValidationError) -> str:
    lines = (
        f"{'.'.join(map(str, error['loc'])) or 'the answer'}: {error['msg']}"
        for error in exc.errors(include_url=False, include_input=False)
    )
    return "; ".join(lines)[:MAX_PROBLEM]
