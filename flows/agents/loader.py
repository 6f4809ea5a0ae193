"""From a document to an agent flow: every problem with its file, its line, its step and the remedy."""

from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from pathlib import Path as FilePath
from typing import Any

from flows import documents
from flows.agents import remedies, renaming, validation, written
from flows.agents.assembling import Assembling
from flows.agents.errors import FlowProblem, InvalidFlow
from flows.agents.placing import Places
from flows.agents.spec import Flow
from flows.agents.validation import Found, kinds
from flows.documents import InvalidDocument, Problem, shapes
from flows.documents.shapes import Misfit

Rule = Callable[[Flow], Iterable[Found]]
_WHAT = "an agent flow is a mapping with the keys name and steps"
MOST_PROBLEMS = 100
"""Of one document that are looked up in it: each costs time."""


def load(text: str, origin: str = "", folder: FilePath | None = None, further: Sequence[Rule] = ()) -> Flow:
    """A flow of YAML or JSON text, kept to `further` rules. Raises InvalidFlow.

    `folder` is that of the files which the flow may name, as an app's flows/; without it there are none.
    """
    loaded = Loaded(text, origin, folder)
    loaded.keep_to(*further)
    return loaded.flow


def as_document(flow: Flow) -> dict[str, Any]:
    """The flow as JSON, every file and everything left to a default written out."""
    return shapes.as_json(flow)


def digest_of(flow: Flow) -> str:
    """SHA-256 of the flow: what a run is pinned to. Flows that it calls have digests of their own."""
    return shapes.digest(as_document(flow))


class Loaded:
    """A flow that is right by itself, and the document it is of: what is found wrong later is told with its line."""

    def __init__(self, text: str, origin: str = "", folder: FilePath | None = None) -> None:
        """Raises InvalidFlow."""
        self.text = text
        self._origin = origin
        self._places = Places()
        try:
            self.flow = self._load(text, folder)
        except InvalidDocument as exc:
            raise InvalidFlow([self._of_shape(one) for one in exc.problems], origin) from exc

    def keep_to(self, *rules: Rule) -> None:
        """Raises InvalidFlow for what one of the rules finds."""
        self._refuse(list(islice((found for rule in rules for found in rule(self.flow)), MOST_PROBLEMS)))

    def _load(self, text: str, folder: FilePath | None) -> Flow:
        document, twice = renaming.renamed(documents.read(text))
        if twice:
            raise InvalidFlow(twice, self._origin)
        self._places = Places(document)
        given = shapes.shaped(document, written.Flow, _WHAT)
        self._refuse(list(kinds.problems_of(given)))
        assembling = Assembling(given, folder)
        flow = assembling.flow()
        self._places.pieces = assembling.pieces
        self._refuse([*assembling.found, *validation.problems_of(flow, with_texts=not assembling.found)])
        return flow

    def _refuse(self, found: Sequence[Found]) -> None:
        if found:
            raise InvalidFlow([self._places.problem(one) for one in found[:MOST_PROBLEMS]], self._origin)

    def _of_shape(self, problem: Problem) -> FlowProblem:
        if not isinstance(problem, Misfit):
            remedy = remedies.of_document(problem.message)
            return FlowProblem(problem.message, problem.path, problem.line, remedy=remedy)
        message, remedy = remedies.told(problem)
        step = self._places.step_at(problem.place)
        return FlowProblem(message, problem.path, problem.line, step, remedy=remedy)
