"""`step.state`: the run's JSON document, replayed with the job's code, which meets what it met before."""

import copy
import json
from dataclasses import dataclass, field
from typing import Any

import jsonpatch

from runs.engine.branches import current_branch
from runs.engine.notes import Notes
from runs.engine.payload import Payload, dump, encode
from runs.errors import InvalidState, StepOutsideJob
from runs.events.types import EventDraft, EventType

_WHERE = "The state of the run"


@dataclass(frozen=True)
class Changes:
    """Members of the document with their new values, and those that are gone."""

    members: dict[str, Any] = field(default_factory=dict)
    dropped: list[str] = field(default_factory=list)

    def of(self, document: dict[str, Any]) -> dict[str, Any]:
        """The document with the changes."""
        kept = {name: value for name, value in document.items() if name not in self.dropped}
        return kept | self.members

    @property
    def are_none(self) -> bool:
        return not self.members and not self.dropped


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

    def merge(self, changes: Changes) -> None:
        """What an update changed, made again on replay."""
        self._value = changes.of(self._value)

    def merge_new(self, changes: Changes, shown: Changes) -> tuple[EventDraft, str]:
        """What an update changes now: the event, with the values that may be shown, and the whole document's text.

        Raises StorageError; then nothing is changed.
        """
        after = changes.of(self._value)
        text = dump(after, _WHERE)
        operations = jsonpatch.make_patch(self._value, shown.of(self._value)).patch
        self._value = after
        return EventDraft(EventType.STATE_PATCH, {"patch": operations}), text

    def _change(self, value: Any) -> None:
        payload = _checked(value)
        operations = jsonpatch.make_patch(self._value, payload.shown).patch
        self._value = payload.value
        self._notes.write(EventDraft(EventType.STATE_PATCH, {"patch": operations}), {}, payload.text)


class UpdateState(RunState):
    """The document as one update sees it: as it was when the update began, with the update's own changes.

    They become the run's when the update completes, all of them or, if it fails, none.
    """

    def __init__(self, notes: Notes, seen: dict[str, Any]) -> None:
        super().__init__(notes)
        self._seen = seen
        self._value = copy.deepcopy(seen)
        self._shown: dict[str, Any] = self._value

    def _change(self, value: Any) -> None:
        payload = _checked(value)
        self._value, self._shown = payload.value, payload.shown

    @property
    def changes(self) -> Changes:
        # as JSON text: to Python 1, 1.0 and True are equal
        seen = {name: _text(value) for name, value in self._seen.items()}
        members = {name: value for name, value in self._value.items() if seen.get(name) != _text(value)}
        return Changes(members, [name for name in seen if name not in self._value])

    @property
    def shown_changes(self) -> Changes:
        """The same with secrets masked."""
        names = self.changes.members
        return Changes({name: self._shown[name] for name in names}, self.changes.dropped)


def _checked(value: Any) -> Payload:
    if current_branch() is None:
        raise StepOutsideJob("state")
    payload = encode(value, _WHERE)
    if not isinstance(payload.shown, dict):
        raise InvalidState("it is no JSON object")
    return payload


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True)
