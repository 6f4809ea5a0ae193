"""A function's parameters as JSON Schema, and a model's arguments as what the function takes."""

import inspect
import re
from collections.abc import Callable
from typing import Annotated, Any, NotRequired, get_type_hints

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.errors import PydanticSchemaGenerationError, PydanticUserError
from pydantic_core import PydanticSerializationError, to_jsonable_python
from typing_extensions import TypedDict

from flows.llm.tools.errors import ArgumentsUnfit, InvalidTool
from hitl.schemas import asks_for_secret

_USE_TYPES = (
    "Use types that pydantic knows, defined at the module's level; what a tool wants to know of its step it asks "
    "current_call() and current_attempt()."
)
_BY_NAME = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
_SECTION = re.compile(r"^(\w+( \w+)?):$")
_GOOGLE = re.compile(r"^(\w+)(?: \(.*?\))?: +(.+)$")
_SPHINX = re.compile(r"^:param (?:[\w.\[\], |]+ )?(\w+): +(.+)$")


class Signature:
    """What a tool's function takes. Raises InvalidTool for what no model can give."""

    def __init__(self, name: str, function: Callable[..., Any]) -> None:
        self._name = name
        if not inspect.isroutine(function):
            raise InvalidTool(name, "is no function", "Decorate a function or a method, or write one around it.")
        _, notes = read_docstring(inspect.getdoc(function) or "")
        try:
            self._adapter = _adapter(name, function, notes)
            self.schema = self._adapter.json_schema()
        except (NameError, PydanticUserError, PydanticSchemaGenerationError) as exc:
            problem = f"has a parameter that is not JSON ({str(exc).splitlines()[0]})"
            raise InvalidTool(name, problem, _USE_TYPES) from exc
        self.schema.pop("title", None)
        if asks_for_secret(self.schema):
            remedy = "Read the secret in the function: what a model gives is recorded and shown."
            raise InvalidTool(name, "takes a secret as an argument", remedy)

    def parse(self, arguments: Any) -> dict[str, Any]:
        """Keyword arguments of the function, typed. Raises ArgumentsUnfit."""
        try:
            return self._adapter.validate_python(arguments)
        except ValidationError as exc:
            raise ArgumentsUnfit(self._name, exc) from exc


def _adapter(name: str, function: Callable[..., Any], notes: dict[str, str]) -> TypeAdapter[dict[str, Any]]:
    hints = get_type_hints(function, include_extras=True)
    fields: dict[str, Any] = {}
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind not in _BY_NAME:
            raise InvalidTool(name, f"takes {str(parameter)!r}", "Give each parameter a name and a type.")
        fields[parameter.name] = _field(parameter, hints.get(parameter.name, Any), notes.get(parameter.name))
    # a TypedDict and no model: parameters may have the names of a model's own methods, as `copy` and `json`
    made = _typed_dict(name, fields)
    made.__pydantic_config__ = ConfigDict(extra="forbid")
    return TypeAdapter(made)


_typed_dict: Any = TypedDict  # mypy takes the call itself for a declaration


def _field(parameter: inspect.Parameter, hint: Any, note: str | None) -> Any:
    extra: dict[str, Any] = {}
    if parameter.default is inspect.Parameter.empty:
        return Annotated[hint, Field(description=note)] if note else hint
    try:
        extra["default"] = to_jsonable_python(parameter.default)
    except (PydanticSerializationError, ValueError):
        extra = {}  # the function has it; the model need not know
    return NotRequired[Annotated[hint, Field(description=note, json_schema_extra=extra)]]


def read_docstring(text: str) -> tuple[str, dict[str, str]]:
    """(what stands before the first section, what is said of each parameter): Google's style or Sphinx's."""
    summary: list[str] = []
    notes: dict[str, str] = {}
    section, last = "", ""
    for line in map(str.strip, text.splitlines()):
        if (found := _SPHINX.match(line)) or (section in ("Args", "Arguments") and (found := _GOOGLE.match(line))):
            last = found[1]
            notes[last] = found[2]
        elif heading := _SECTION.match(line):
            section, last = heading[1], ""
        elif line.startswith(":"):
            section, last = "Sphinx", ""
        elif last and line:
            notes[last] += f" {line}"
        elif not section and not notes:
            summary.append(line)
    return "\n".join(summary).strip(), notes
