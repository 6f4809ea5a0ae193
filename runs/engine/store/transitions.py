"""Transitions as data."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any, NamedTuple
from uuid import UUID

import orjson

from runs.engine.store.spent import Spent
from runs.events.types import EventDraft
from runs.models import StepStatus


class StepRow(NamedTuple):
    """A whole row of a step; JSON columns hold text."""

    run_id: UUID
    name: str
    kind: str
    branch: str
    position: int
    status: str
    attempts: int
    failures: int
    output: str | None
    secrets: str
    error: str | None
    started_at: datetime | None
    finished_at: datetime | None
    wake_at: datetime | None


class AttemptRow(NamedTuple):
    run_id: UUID
    step_name: str
    number: int
    epoch: int
    outcome: str
    started_at: datetime
    ended_at: datetime | None
    error: str | None
    usage: str | None


class CheckpointRow(NamedTuple):
    run_id: UUID
    step_name: str
    number: int
    attempt: int
    state: str
    secrets: str
    size: int
    created_at: datetime


class LetterRow(NamedTuple):
    """A signal or update that a step consumed; released again where `consumed_by` is None."""

    run_id: UUID
    id: int
    consumed_by: str | None
    consumed_at: datetime | None
    result: str | None = None
    error: str | None = None
    effect: str | None = None


class StateRow(NamedTuple):
    run_id: UUID
    value: str


class SpendingRow(NamedTuple):
    """What is added to a run's spending: tokens, billionths of money, steps."""

    run_id: UUID
    tokens: int
    cost: int
    steps: int


class ArtifactRow(NamedTuple):
    run_id: UUID
    name: str
    version: int
    media_type: str
    size: int
    digest: str
    path: str
    step_name: str
    created_at: datetime


class EventRow(NamedTuple):
    run_id: UUID
    sequence: int  # its place in the transition, from 1; the database adds what the run had before
    type: str
    step: str | None
    attempt: int | None
    data: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Change:
    """New values of a run's own columns. What is not named stays. JSON columns hold text."""

    values: dict[str, Any] = field(default_factory=dict)
    release: bool = False  # gives the lease back and adds the time worked
    expect_inbox: int | None = None  # the transition happens only while the inbox holds this
    notes: dict[str, int] = field(default_factory=dict)  # added to the column: all of it with each line is quadratic

    def merged(self, later: "Change") -> "Change":
        if later is UNCHANGED or self is UNCHANGED:
            return self if later is UNCHANGED else later
        values, notes = self.values | later.values, self.notes | later.notes
        return Change(values, self.release or later.release, later.expect_inbox, notes)


UNCHANGED = Change()
_PROGRESS = Change({"claims": 0})

COLUMNS: dict[str, str] = {
    "status": "text", "reason": "text", "output": "jsonb", "error": "jsonb", "progress": "jsonb", "secrets": "jsonb",
    "notes": "jsonb", "due_at": "timestamptz", "finished_at": "timestamptz", "claims": "int", "end_hook": "text",
    "pause_wanted": "bool",
}  # fmt: skip
"""The columns of a run that a worker's transition may change."""


class Transition(NamedTuple):
    """One change of one run with its events: all of it happens, or none."""

    at: datetime
    change: Change = UNCHANGED
    events: tuple[EventDraft, ...] = ()
    steps: tuple[StepRow, ...] = ()
    attempts: tuple[AttemptRow, ...] = ()
    checkpoints: tuple[CheckpointRow, ...] = ()
    forget_checkpoints: tuple[str, ...] = ()  # steps that are done with theirs
    letters: tuple[LetterRow, ...] = ()
    artifacts: tuple[ArtifactRow, ...] = ()
    state: str | None = None  # the run's whole document
    spent: Spent | None = None  # from a budget
    size: int = 0  # bytes of the events' data, where no row holds the same

    @property
    def records_step(self) -> bool:
        return any(step.status != StepStatus.RUNNING for step in self.steps)

    @property
    def is_conditional(self) -> bool:
        return self.change.expect_inbox is not None

    def counted_change(self) -> Change:
        """Its change, with `claims` back at 0 if it records a step: the run makes progress."""
        return _PROGRESS.merged(self.change) if self.records_step else self.change


@dataclass(slots=True)
class Entry:
    """What one batch does to one run: some of its transitions in order, under its token and next write number."""

    run_id: UUID
    token: int
    write_no: int
    transitions: list[Transition]

    change: Change = field(init=False)

    def __post_init__(self) -> None:
        self.change = UNCHANGED
        for transition in self.transitions:
            self.change = self.change.merged(transition.counted_change())

    @property
    def event_count(self) -> int:
        return sum(len(transition.events) for transition in self.transitions)

    def event_rows(self) -> list[EventRow]:
        rows: list[EventRow] = []
        for transition in self.transitions:
            for draft in transition.events:
                rows.append(_event_row(self.run_id, len(rows) + 1, draft, transition.at))
        return rows

    def step_rows(self) -> list[StepRow]:
        rows = {row.name: row for transition in self.transitions for row in transition.steps}
        return list(rows.values())

    def attempt_rows(self) -> list[AttemptRow]:
        rows = {(row.step_name, row.number): row for transition in self.transitions for row in transition.attempts}
        return list(rows.values())

    def checkpoint_rows(self) -> list[CheckpointRow]:
        return [row for transition in self.transitions for row in transition.checkpoints]

    def letter_rows(self) -> list[LetterRow]:
        rows = {row.id: row for transition in self.transitions for row in transition.letters}
        return list(rows.values())

    def artifact_rows(self) -> list[ArtifactRow]:
        return [row for transition in self.transitions for row in transition.artifacts]

    def state_rows(self) -> list[StateRow]:
        written = [transition.state for transition in self.transitions if transition.state is not None]
        return [StateRow(self.run_id, written[-1])] if written else []

    def spending_rows(self) -> list[SpendingRow]:
        told = [transition.spent for transition in self.transitions if transition.spent is not None]
        return [SpendingRow(self.run_id, *map(sum, zip(*told, strict=True)))] if told else []

    def forgotten_steps(self) -> list[str]:
        return [step for transition in self.transitions for step in transition.forget_checkpoints]


class Result(Enum):
    DONE = "done"  # committed
    LOST = "lost"  # another token, or the run is gone: this worker may write nothing more
    BUSY = "busy"  # the row is locked by somebody: try again
    INBOX = "inbox"  # something arrived that the run has not seen


class Written(NamedTuple):
    """What a batch did to one run. `last_sequence` is 0 where it is not known."""

    result: Result
    last_sequence: int = 0


def _encode(data: dict[str, Any]) -> str:
    """JSON of what was checked before: in it NaN, which orjson writes as null, is not."""
    try:
        return orjson.dumps(data).decode()
    except TypeError:  # an integer of more than 64 bits
        return json.dumps(data, ensure_ascii=False, separators=(",", ":"))


def _event_row(run_id: UUID, place: int, draft: EventDraft, at: datetime) -> EventRow:
    return EventRow(run_id, place, draft.type, draft.step, draft.attempt, _encode(draft.data), at)


def rows_of(entries: Iterable[Entry], rows: str) -> list[Any]:
    """All rows of one kind in a batch, by the name of the Entry method that gives them."""
    return [row for entry in entries for row in getattr(entry, rows)()]
