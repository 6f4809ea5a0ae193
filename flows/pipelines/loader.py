"""From a document to a definition: every problem with its line."""

from collections.abc import Callable, Sequence
from typing import Any

from flows import documents
from flows.documents import Document, InvalidDocument, Problem, shapes
from flows.pipelines import validation
from flows.pipelines.errors import InvalidPipeline
from flows.pipelines.spec import PipelineDef
from flows.pipelines.step_rules import Found

Rule = Callable[[PipelineDef], list[Found]]
_WHAT = "a pipeline is a mapping with the keys type, version and steps"


def load(text: str, origin: str = "", further: Sequence[Rule] = ()) -> PipelineDef:
    """A definition of YAML or JSON text, kept to `further` rules. Raises InvalidPipeline: each problem's line."""
    try:
        document = documents.read(text)
        made = shapes.shaped(document, PipelineDef, _WHAT)
    except InvalidDocument as exc:
        raise InvalidPipeline(exc.problems, origin) from exc
    found = validation.problems_of(made) or [one for rule in further for one in rule(made)]
    if found:
        raise InvalidPipeline([_placed(document, one) for one in found], origin)
    return made


def as_document(made: PipelineDef) -> dict[str, Any]:
    """The definition as JSON, everything said that was left to a default."""
    return shapes.as_json(made)


def digest_of(made: PipelineDef) -> str:
    """SHA-256 of the definition: what a run is pinned to."""
    return shapes.digest(as_document(made))


def _placed(document: Document, found: Found) -> Problem:
    line = document.line_of(found.path)
    if found.template_line:
        line = document.text_lines.get(found.path, line) + found.template_line - 1
    return Problem(found.message, documents.dotted(found.path), line)
