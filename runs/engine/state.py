"""`step.state`: the run's JSON document, replayed with the job's code, which meets what it met before."""

import copy
from typing import Any

import jsonpatch

from runs.engine.branches import current_branch
from runs.engine.notes import Notes
from runs.engine.payload import encode
from runs.errors import InvalidState, StepOutsideJob
from runs.events.types import EventDraft, EventType

_WHERE = "The state of the run"


class RunState:
    """The document of one execution. Each change is written with an RFC 6902 `state:patch` event.

    Only the job's own code changes it: what a step function did is not called again on replay.
    """

    def __init__(self, notes: Notes) -> None:
        self._notes = notes
        self._value: dict[str, Any] = {}

    @property
    def value(self) -> dict[str, Any]:
        """A copy of the document."""
        return copy.deepcopy(self._value)

    def get(self, key: str, default: Any = None) -> Any:
        """A copy of one member of the document."""
        return copy.deepcopy(self._value.get(key, default))

    def set(self, value: dict[str, Any]) -> None:
        """Replace the document. Raises StorageError, InvalidState for what is no JSON object."""
        self._change(value)

    def update(self, **members: Any) -> None:
        """Replace some members of the document. Raises StorageError."""
        self._change(self._value | members)

    def patch(self, operations: list[dict[str, Any]]) -> None:
        """Apply an RFC 6902 patch. Raises InvalidState for one that does not fit; then nothing is changed."""
        try:
            self._change(jsonpatch.apply_patch(self._value, operations))
        except (jsonpatch.JsonPatchException, jsonpatch.JsonPointerException) as exc:
            raise InvalidState(str(exc)) from exc

    def _change(self, value: Any) -> None:
        if current_branch() is None:
            raise StepOutsideJob("state")
        payload = encode(value, _WHERE)
        after = payload.value
        if not isinstance(after, dict):
            raise InvalidState("it is no JSON object")
        operations = jsonpatch.make_patch(self._value, payload.shown).patch
        self._value = after
        self._notes.write(EventDraft(EventType.STATE_PATCH, {"patch": operations}), {}, payload.text)
