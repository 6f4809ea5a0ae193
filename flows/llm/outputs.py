"""Answers of a wanted type: the schema that is sent, and what becomes of the text that comes."""

import json
import re
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

WRAPPED: Final = "value"
_FENCE = re.compile(r"\A\s*```(?:json)?\s*\n(.*?)\n?\s*```\s*\Z", re.DOTALL)
MAX_PROBLEM: Final = 2_000


class InvalidOutput(Exception):
    """Says what does not fit, for the model to read."""


class Output:
    """A type that pydantic knows, as a JSON object: what is none is wrapped in one, which vendors ask for."""

    def __init__(self, type_: Any) -> None:
        self._adapter: TypeAdapter[Any] = TypeAdapter(type_)
        plain = self._adapter.json_schema()
        self._is_wrapped = plain.get("type") != "object" and "$ref" not in plain
        self.schema = _wrapped(plain) if self._is_wrapped else plain
        self.name = re.sub(r"[^A-Za-z0-9_-]", "_", getattr(type_, "__name__", "result"))[:64] or "result"

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
        try:
            return self._adapter.validate_json(json.dumps(value))
        except ValidationError as exc:
            raise InvalidOutput(_problems(exc)) from None


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
