"""From a document to a pydantic model: what does not fit is told with its line, and with what may have been meant."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from flows.documents.problems import InvalidDocument, Problem, meant
from flows.documents.reading import Document, Path, dotted

M = TypeVar("M", bound=BaseModel)
MOST_MISFITS = 500
"""Told of one document: each is looked up in it."""


@dataclass(frozen=True, slots=True)
class Misfit(Problem):
    """What does not fit: `kind` is pydantic's name of the error, `given` the value that stands at `place`."""

    kind: str = ""
    given: Any = None
    place: Path = ()


def shaped(document: Document, model: type[M], what: str) -> M:
    """`what` says what a document of the model is. Raises InvalidDocument."""
    if not isinstance(document.value, dict):
        raise InvalidDocument([Problem(what, line=document.line_of(()) or 1)])
    try:
        return model.model_validate(document.value)
    except ValidationError as exc:
        errors = exc.errors(include_url=False, include_context=False)[:MOST_MISFITS]
        found = [_of_pydantic(document, model, error) for error in errors]
        raise InvalidDocument(_without_echoes(found)) from exc


def _without_echoes(found: list[Misfit]) -> list[Misfit]:
    """A list whose entries do not fit is told to be too short as well: only its entries are."""
    return [
        one
        for one in found
        if not (one.kind == "too_short" and one.given)
        or not any(other.place[: len(one.place)] == one.place for other in found if other is not one)
    ]


def as_json(made: BaseModel) -> dict[str, Any]:
    """The model as JSON, everything said that was left to a default."""
    return made.model_dump(mode="json", by_alias=True)


def digest(document: Mapping[str, Any]) -> str:
    """SHA-256 of a document, whatever the order of its keys."""
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()


def _of_pydantic(document: Document, model: type[BaseModel], error: Any) -> Misfit:
    path = _within(document.value, tuple(error["loc"]))
    message = error["msg"][:1].lower() + error["msg"][1:]
    if error["type"] == "extra_forbidden":
        known = _keys_at(model, path[:-1])
        message = f"unknown key {path[-1]!r}" + (meant(str(path[-1]), known) or f"; use one of: {', '.join(known)}")
    elif error["type"] == "missing":
        message = f"the key {path[-1]!r} is missing"
    elif isinstance(error.get("input"), str) and error["type"] in ("enum", "literal_error"):
        message += f", not {error['input'][:50]!r}"
    return Misfit(message, dotted(path), document.line_of(path), error["type"], error.get("input"), path)


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


def _keys_at(model: type[BaseModel], path: Path) -> list[str]:
    """The keys of the models that may stand at a path. A key of a mapping leads nowhere else than its values do."""
    models = [model]
    for part in path:
        inner = [found for one in models for found in _models_below(one, part)]
        models = inner or models
    return list(dict.fromkeys(field.alias or name for one in models for name, field in one.model_fields.items()))


def _models_below(model: type[BaseModel], part: str | int) -> Iterator[type[BaseModel]]:
    for name, field in model.model_fields.items():
        if part == (field.alias or name):
            yield from _models_in(field.annotation)


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models_in(part)
