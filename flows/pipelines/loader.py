"""From a document to a definition: every problem with its line."""

import difflib
import hashlib
import json
from collections.abc import Callable, Sequence
from typing import Any

from pydantic import BaseModel, ValidationError

from flows.pipelines import documents, validation
from flows.pipelines.documents import Document, Path
from flows.pipelines.errors import InvalidPipeline, Problem
from flows.pipelines.spec import CheckpointDef, PipelineDef, PromptTemplate, StepDef
from flows.pipelines.step_rules import Found

Rule = Callable[[PipelineDef], list[Found]]


def load(text: str, origin: str = "", further: Sequence[Rule] = ()) -> PipelineDef:
    """A definition of YAML or JSON text, kept to `further` rules. Raises InvalidPipeline: each problem's line."""
    try:
        document = documents.read(text)
        made = _shaped(document)
        found = validation.problems_of(made) or [one for rule in further for one in rule(made)]
        problems = [_placed(document, one) for one in found]
    except InvalidPipeline as exc:
        raise InvalidPipeline(exc.problems, origin) from exc
    if problems:
        raise InvalidPipeline(problems, origin)
    return made


def as_document(made: PipelineDef) -> dict[str, Any]:
    """The definition as JSON, everything said that was left to a default."""
    return made.model_dump(mode="json", by_alias=True)


def digest_of(made: PipelineDef) -> str:
    """SHA-256 of the definition: what a run is pinned to."""
    return hashlib.sha256(json.dumps(as_document(made), sort_keys=True).encode()).hexdigest()


def _shaped(document: Document) -> PipelineDef:
    if not isinstance(document.value, dict):
        raise InvalidPipeline([Problem("a pipeline is a mapping with the keys type, version and steps", line=1)])
    try:
        return PipelineDef.model_validate(document.value)
    except ValidationError as exc:
        found = [_of_pydantic(document, error) for error in exc.errors(include_url=False, include_context=False)]
        raise InvalidPipeline(found) from exc


def _of_pydantic(document: Document, error: Any) -> Problem:
    path = _within(document.value, tuple(error["loc"]))
    message = error["msg"][:1].lower() + error["msg"][1:]
    if error["type"] == "extra_forbidden":
        message = f"unknown key {path[-1]!r}" + _meant(str(path[-1]), _keys_at(path[:-1]))
    elif error["type"] == "missing":
        message = f"the key {path[-1]!r} is missing"
    elif isinstance(error.get("input"), str) and error["type"] in ("enum", "literal_error"):
        message += f", not {error['input'][:50]!r}"
    return Problem(message, documents.dotted(path), document.line_of(path))


def _within(value: Any, loc: Path) -> Path:
    """The path without the names of a union's members, which stand in no document. A key that is missing ends it."""
    path: list[str | int] = []
    for part in loc:
        if isinstance(value, dict) and (part in value or part == loc[-1]):
            value = value.get(str(part))
        elif isinstance(value, list) and isinstance(part, int) and part < len(value):
            value = value[part]
        else:
            continue
        path.append(part)
    return tuple(path)


def _keys_at(path: Path) -> list[str]:
    model: type[BaseModel] = PipelineDef
    if path and path[0] == "steps":
        names = [part for part in path[2:] if isinstance(part, str)]
        parts: dict[str, type[BaseModel]] = {"prompt": PromptTemplate, "checkpoint": CheckpointDef}
        model = parts.get(names[0], StepDef) if names else StepDef
    return [field.alias or name for name, field in model.model_fields.items()]


def _meant(word: str, known: list[str]) -> str:
    near = difflib.get_close_matches(word, known, n=1)
    return f"; did you mean {near[0]!r}?" if near else f"; use one of: {', '.join(known)}"


def _placed(document: Document, found: Found) -> Problem:
    line = document.line_of(found.path)
    if found.template_line:
        line = document.text_lines.get(found.path, line) + found.template_line - 1
    return Problem(found.message, documents.dotted(found.path), line)
