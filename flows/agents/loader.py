"""From a document to an agent flow: every problem with its file, its line, its step and the remedy."""

from collections.abc import Callable, Sequence
from pathlib import Path as FilePath
from typing import Any

from flows import documents
from flows.agents import renaming, written
from flows.agents.assembling import Assembling, Found
from flows.agents.errors import FlowProblem, InvalidFlow
from flows.agents.facets import Piece
from flows.agents.spec import Flow
from flows.documents import Document, InvalidDocument, Path, Problem, shapes

Rule = Callable[[Flow], Sequence[Found]]
_WHAT = "an agent flow is a mapping with the keys name and steps"


def load(text: str, origin: str = "", folder: FilePath | None = None, further: Sequence[Rule] = ()) -> Flow:
    """A flow of YAML or JSON text, kept to `further` rules. Raises InvalidFlow.

    `folder` is that of the files which the flow may name, as an app's flows/; without it there are none.
    """
    loading = _Loading(origin)
    try:
        return loading.load(text, folder, further)
    except InvalidDocument as exc:
        raise InvalidFlow([loading.of_shape(one) for one in exc.problems], origin) from exc


def as_document(flow: Flow) -> dict[str, Any]:
    """The flow as JSON, every file and everything left to a default written out."""
    return shapes.as_json(flow)


def digest_of(flow: Flow) -> str:
    """SHA-256 of the flow: what a run is pinned to. Flows that it calls have digests of their own."""
    return shapes.digest(as_document(flow))


class _Loading:
    def __init__(self, origin: str) -> None:
        self._origin = origin
        self._document = Document()
        self._pieces: dict[Path, list[Piece]] = {}

    def load(self, text: str, folder: FilePath | None, further: Sequence[Rule]) -> Flow:
        self._document, twice = renaming.renamed(documents.read(text))
        if twice:
            raise InvalidFlow(twice, self._origin)
        assembling = Assembling(shapes.shaped(self._document, written.Flow, _WHAT), folder)
        flow = assembling.flow()
        self._pieces = assembling.made.pieces
        found = assembling.made.found or [one for rule in further for one in rule(flow)]
        if found:
            raise InvalidFlow([self._placed(one) for one in found], self._origin)
        return flow

    def of_shape(self, problem: Problem) -> FlowProblem:
        return FlowProblem(problem.message, problem.path, problem.line)

    def _placed(self, found: Found) -> FlowProblem:
        line = self._document.line_of(found.path)
        return FlowProblem(
            found.message, documents.dotted(found.path), line, self._step_at(found.path), remedy=found.remedy
        )

    def _step_at(self, path: Path) -> str:
        """The name of the step that a path leads into; of a sub-step its own."""
        value, name = self._document.value, ""
        for at, part in enumerate(path):
            value = value[part] if isinstance(part, int) or part in value else None
            if not isinstance(value, dict | list):
                break
            if at and path[at - 1] in ("steps", "parallel") and isinstance(value, dict):
                name = str(value.get("name", ""))
        return name
