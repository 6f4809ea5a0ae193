"""What a run has done before, as a replay meets it: by name, and in order per branch."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection

from runs.engine import patches
from runs.engine.branches import Branch
from runs.engine.store.prepared import fetch_all
from runs.engine.store.transitions import Transition
from runs.errors import NondeterminismError, StepNameReused
from runs.models import Attempt, AttemptOutcome, Checkpoint, Run, StepStatus

CHILDREN = frozenset({"child", "start_child"})
_SETTLED = frozenset({StepStatus.COMPLETED, StepStatus.FAILED, StepStatus.CANCELLED, StepStatus.SKIPPED})
WITHOUT_ATTEMPTS = frozenset({"signal", "sleep"})
"""Kinds of steps that call no function: they have neither attempts nor checkpoints."""


@dataclass(slots=True)
class StepRecord:
    """One step of this run: loaded from its row, or made when the code first meets it."""

    name: str
    kind: str
    branch: str
    position: int
    status: str = ""
    attempts: int = 0
    failures: int = 0
    output: Any = None
    error: dict[str, Any] | None = None
    started_at: datetime | None = None
    wake_at: datetime | None = None
    open_attempt: Attempt | None = None  # its worker died in it
    checkpoints: int = 0
    last_state: Any = None
    call_off: Callable[[], Transition] | None = None  # of a wait: what would end it
    is_tentative: bool = False  # recorded on the way out of a failure that was retried since

    @property
    def place(self) -> str:
        return f"step {self.name!r} ({self.kind}) at branch {self.branch} position {self.position}"

    @property
    def is_settled(self) -> bool:
        return self.status in _SETTLED

    @property
    def is_open(self) -> bool:
        return self.status in (StepStatus.RUNNING, StepStatus.RETRYING)


@dataclass(slots=True)
class BranchRecords:
    """The steps of one branch, and the paths of the branches that it made."""

    steps: list[StepRecord] = field(default_factory=list)
    inner: list[str] = field(default_factory=list)


@dataclass
class History:
    """The recorded steps of a run, and those that the code has asked for in this execution."""

    by_name: dict[str, StepRecord] = field(default_factory=dict)
    by_place: dict[tuple[str, int], StepRecord] = field(default_factory=dict)
    # a loop of races looks into two branches per round: looking at all steps each time would be quadratic
    by_branch: dict[str, BranchRecords] = field(default_factory=dict)
    asked: set[str] = field(default_factory=set)
    markers: set[str] = field(default_factory=set)
    reach: patches.Reach = field(default_factory=patches.Reach)
    excused: set[str] = field(default_factory=set)

    def add(self, record: StepRecord) -> None:
        if record.kind == patches.KIND:
            self.markers.add(record.name)
            return
        self.by_name[record.name] = record
        self._branch(record.branch).steps.append(record)
        place = record.branch, record.position
        if not record.is_tentative:
            self.by_place[place] = record  # whatever was there before a retry
            self.reach.add(*place)
        else:
            self.by_place.setdefault(place, record)

    def _branch(self, path: str) -> BranchRecords:
        found = self.by_branch.get(path)
        if found is None:
            found = self.by_branch[path] = BranchRecords()
            parent, _, _ = path.rpartition(".")
            if parent:
                self._branch(parent).inner.append(path)
        return found

    def meet(self, branch: Branch, name: str, kind: str) -> StepRecord:
        """The record for the next call of `branch`. Raises StepNameReused or NondeterminismError."""
        if name in self.asked or name in self.markers:
            raise StepNameReused(name)
        position = branch.next_position()
        met = StepRecord(name, kind, branch.path, position)
        recorded = self.by_place.get((branch.path, position))
        if recorded is None or (recorded.is_tentative and recorded.name != name):
            recorded = self.by_name.get(name)  # a retry may take another way than the failure took
        if recorded is None:
            self.add(met)
            recorded = met
        elif recorded.place != met.place:
            raise NondeterminismError(recorded.place, met.place)
        self.asked.add(name)
        return recorded

    @property
    def has_updates(self) -> bool:
        return any(Branch.is_of_update(path) for path in self.by_branch)

    def last_signal_wait(self, path: str) -> StepRecord | None:
        """The step that a branch ended with, if that was a wait which took a signal."""
        steps = self.by_branch.get(path, BranchRecords()).steps
        inside = (record for record in steps if record.name in self.asked)
        last = max(inside, key=lambda record: record.position, default=None)
        took = last is not None and (last.kind, last.status) == ("signal", StepStatus.COMPLETED)
        return last if took else None

    def excuse(self, path: str) -> None:
        """The steps of a branch that this replay does not enter, because what it led to is recorded."""
        self.excused.add(path)
        paths = [path]
        while paths:
            found = self.by_branch.get(paths.pop(), BranchRecords())
            self.asked |= {record.name for record in found.steps}
            paths += found.inner

    def is_excused(self, path: str) -> bool:
        while path and path not in self.excused:
            path = path.rpartition(".")[0]
        return bool(path)

    def unasked(self) -> StepRecord | None:
        """A recorded step that the finished function never asked for, and had to."""
        missing = (one for name, one in self.by_name.items() if name not in self.asked and not one.is_tentative)
        return min(missing, key=lambda record: (record.branch, record.position), default=None)


def load_history(run: Run) -> History:
    """All recorded steps of the run with what their next attempts need (three queries at most)."""
    history = History()
    for row in fetch_all(_STEPS, [Run._meta.pk.get_db_prep_value(run.id, connection)]):
        history.add(_as_record(*row))
    unsettled = [one.name for one in history.by_name.values() if one.is_open and one.kind not in WITHOUT_ATTEMPTS]
    if unsettled:
        _add_open_attempts(run, history)
        _add_checkpoints(run, history, unsettled)
    return history


# as models, ten thousand of them took most of a replay's time
_STEPS = """
SELECT name, kind, branch, position, status, attempts, failures, output, error, started_at, wake_at, is_tentative
FROM runs_step WHERE run_id = %s ORDER BY id
"""


def _as_record(
    name: str, kind: str, branch: str, position: int, status: str, attempts: int, failures: int, output: str | None,
    error: str | None, started_at: Any, wake_at: Any, is_tentative: Any,
) -> StepRecord:  # fmt: skip
    return StepRecord(
        name, kind, branch, position, status, attempts, failures, None if output is None else json.loads(output),
        None if error is None else json.loads(error), _time(started_at), _time(wake_at),
        is_tentative=bool(is_tentative),
    )  # fmt: skip


def _time(value: Any) -> datetime | None:
    """SQLite's times do not say that they are in UTC."""
    if value is not None and connection.vendor == "sqlite":
        value = connection.ops.convert_datetimefield_value(value, None, connection)  # type: ignore[attr-defined]
    found: datetime | None = value
    return found


def _add_open_attempts(run: Run, history: History) -> None:
    for attempt in Attempt.objects.filter(run=run, outcome=AttemptOutcome.OPEN):
        if attempt.step_name in history.by_name:
            history.by_name[attempt.step_name].open_attempt = attempt


def _add_checkpoints(run: Run, history: History, names: list[str]) -> None:
    for checkpoint in Checkpoint.objects.filter(run=run, step_name__in=names).order_by("number"):
        record = history.by_name[checkpoint.step_name]
        record.checkpoints, record.last_state = checkpoint.number, checkpoint.state
