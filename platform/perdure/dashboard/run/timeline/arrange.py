"""A run's rows as the lanes of a waterfall: queued, waiting, working and retries told apart. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from perdure.dashboard.run.rows import WAITS
from perdure.dashboard.run.timeline.parts import Part, PartKind, Try, follow_on, from_tries
from runs.models import AttemptOutcome, StepStatus

MOVES = {
    "run:queued": PartKind.QUEUED, "run:retry": PartKind.QUEUED, "run:start": PartKind.WORKING,
    "run:resume": PartKind.WORKING, "run:recover": PartKind.WORKING, "run:wait": PartKind.WAITING,
    "run:pause": PartKind.PAUSED, "run:fail": PartKind.STOPPED,
}  # fmt: skip
"""What a run does after each of its events."""
RUN = "job"
"""The kind of a run's own lane; steps have kinds of their own, "run" among them."""
_MILLISECOND = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class RunTimes:
    """One run. `moves` are its events of MOVES in order: (type, was asked for by somebody, at)."""

    key: str
    title: str
    status: str
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    moves: Sequence[tuple[str, bool, datetime]] = ()


@dataclass(frozen=True, slots=True)
class StepTimes:
    """One recorded step; `status` as it is shown."""

    name: str
    kind: str
    status: str
    attempts: int
    started_at: datetime | None
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class AttemptTimes:
    """One recorded attempt of the step `step`."""

    step: str
    number: int
    outcome: str
    started_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True)
class Rows:
    """A run with its steps in order, their attempts, and its child runs by the step that started them.

    `more` counts steps that are left out.
    """

    run: RunTimes
    steps: Sequence[StepTimes] = ()
    attempts: Sequence[AttemptTimes] = ()
    children: Mapping[str, Sequence["Rows"]] = field(default_factory=dict)
    more: int = 0


@dataclass(frozen=True, slots=True)
class Lane:
    """One line of the waterfall. `depth` is 0 for the run, 1 for its steps, 2 for a child run, 3 for its steps, …

    The parts cover it from its start to its end without gap or overlap; a step that never began has none.
    """

    key: str
    title: str
    kind: str
    status: str
    attempts: int
    depth: int
    run: str
    parts: tuple[Part, ...]
    more: int = 0

    @property
    def start(self) -> int:
        return self.parts[0].start if self.parts else 0

    @property
    def end(self) -> int:
        return self.parts[-1].end if self.parts else 0

    def spent(self, kind: PartKind) -> int:
        """Milliseconds of one kind."""
        return sum(part.length for part in self.parts if part.kind == kind)


@dataclass(frozen=True)
class Arranged:
    """Lanes in the order of the page; `end` is the last moment in milliseconds since `origin`, or now."""

    origin: datetime
    end: int
    lanes: list[Lane]


def arrange(rows: Rows, now: datetime) -> Arranged:
    """All lanes of a run. What has not ended lasts to `now`; what is recorded outside counts at the bounds."""
    origin = rows.run.created_at
    until = rows.run.finished_at or now
    clock = _Clock(origin, max(_milliseconds(until - origin), 1))
    return Arranged(origin, clock.end, _run_lanes(rows, clock, 0))


@dataclass(frozen=True, slots=True)
class _Clock:
    origin: datetime
    end: int

    def at(self, moment: datetime | None) -> int:
        """Milliseconds since the origin; the end for a moment that has not come."""
        if moment is None:
            return self.end
        return min(max(_milliseconds(moment - self.origin), 0), self.end)


def _run_lanes(rows: Rows, clock: _Clock, depth: int) -> list[Lane]:
    run = rows.run
    parts = _run_parts(run, clock)
    found = [Lane(run.key, run.title, RUN, run.status, 0, depth, run.key, parts, rows.more)]
    tries = _tries_by_step(rows.attempts, clock)
    for step in rows.steps:
        key = step.name if depth == 0 else f"{run.key} {step.name}"
        parts = _step_parts(step, tries.get(step.name, ()), clock)
        found.append(Lane(key, step.name, step.kind, step.status, step.attempts, depth + 1, run.key, parts))
        for child in rows.children.get(step.name, ()):
            found.extend(_run_lanes(child, clock, depth + 2))
    return found


def _run_parts(run: RunTimes, clock: _Clock) -> tuple[Part, ...]:
    start, end = clock.at(run.created_at), clock.at(run.finished_at)
    moves = [(clock.at(at), _move(type_, asked)) for type_, asked, at in run.moves if type_ in MOVES]
    if not moves and run.started_at is not None:  # its history is cleaned up
        moves = [(clock.at(run.started_at), PartKind.WORKING)]
    return follow_on(moves, start, max(start, end), PartKind.QUEUED)


def _move(type_: str, asked: bool) -> PartKind:
    # Whoever lets a run go on queues it; the worker that takes it up says so once more.
    return PartKind.QUEUED if asked and type_ == "run:resume" else MOVES[type_]


def _step_parts(step: StepTimes, tries: Sequence[Try], clock: _Clock) -> tuple[Part, ...]:
    if step.started_at is None:
        return ()
    start = clock.at(step.started_at)
    end = max(start, clock.at(step.finished_at))
    if step.kind in WAITS:
        return (Part(PartKind.WAITING, start, end),)
    if not tries:
        outcome = "open" if step.finished_at is None else step.status
        return (Part(PartKind.WORKING, start, end, step.attempts and 1, outcome),)
    return from_tries(tries, min(start, tries[0].started), end, step.status == StepStatus.RETRYING)


def _tries_by_step(attempts: Iterable[AttemptTimes], clock: _Clock) -> dict[str, list[Try]]:
    found: dict[str, list[Try]] = defaultdict(list)
    for one in attempts:
        is_open = one.ended_at is None or one.outcome in (AttemptOutcome.OPEN, AttemptOutcome.LOST)
        ended = None if is_open else clock.at(one.ended_at)
        found[one.step].append(Try(one.number, one.outcome, clock.at(one.started_at), ended))
    return found


def _milliseconds(length: timedelta) -> int:
    return round(length / _MILLISECOND)
