"""What must hold of the rows at any moment: `manage.py check_invariants`."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Count, Exists, F, Max, Min, OuterRef, Q, QuerySet
from django.db.models.expressions import Combinable

from runs import clock
from runs.engine.claim import unheld
from runs.engine.stranded import stranded
from runs.models import (
    ENDED,
    Attempt,
    AttemptOutcome,
    EndHook,
    Event,
    Run,
    RunStatus,
    Signal,
    SignalKind,
    Step,
    StepStatus,
)

LATE = timedelta(seconds=60)
"""What the sweeper and the drivers do within a second or two."""

_ABSORBING = {RunStatus.COMPLETED: "run:complete", RunStatus.CANCELLED: "run:cancel"}
_IDLE = (RunStatus.QUEUED, RunStatus.WAITING, RunStatus.PAUSED)


@dataclass(frozen=True, slots=True)
class Violation:
    """One run of which `invariant` does not hold; `detail` says where."""

    invariant: str
    run: UUID
    detail: str = ""


Query = Callable[[], Iterable[tuple[Any, ...]]]


def find_violations() -> Iterator[Violation]:
    """Every violation of every invariant. Each asks once, so it sees what was committed together, or none of it."""
    for name, query in INVARIANTS.items():
        for run, *where in query():
            yield Violation(name, run, " ".join(str(part) for part in where if part not in (None, "")))


def _runs(*conditions: Q | Combinable) -> QuerySet[Run, Any]:
    return Run.objects.filter(*conditions).order_by("id").values_list("id", "status", "reason")


def _late() -> datetime:
    return clock.now() - LATE


def _running_without_lease() -> Iterable[tuple[Any, ...]]:
    return _runs(Q(status=RunStatus.RUNNING, lease_worker=None))


def _lease_without_work() -> Iterable[tuple[Any, ...]]:
    ended = Q(status__in=ENDED) & ~Q(end_hook=EndHook.DUE)
    return _runs(Q(lease_worker__isnull=False) & (Q(status__in=_IDLE) | ended))


def _idle_without_wake() -> Iterable[tuple[Any, ...]]:
    """Queued without a time, or waiting without a time and for nothing."""
    waits = Exists(Step.objects.filter(run=OuterRef("pk"), status=StepStatus.RUNNING))
    never = Run.objects.filter(~waits, status=RunStatus.WAITING).values("id")
    return _runs(Q(due_at=None) & (Q(status=RunStatus.QUEUED) | Q(id__in=never)))


def _end_half_written() -> Iterable[tuple[Any, ...]]:
    ended = Q(status__in=ENDED)
    due = ended & Q(due_at__isnull=False) & ~Q(end_hook=EndHook.DUE)
    return _runs(due | (ended & Q(finished_at=None)) | (~ended & Q(finished_at__isnull=False)))


def _open_after_end() -> Iterable[tuple[Any, ...]]:
    open_steps = Step.objects.filter(run__status__in=ENDED, status__in=[StepStatus.RUNNING, StepStatus.RETRYING])
    return open_steps.order_by("id").values_list("run_id", "name")


def _written_after_end() -> Iterable[tuple[Any, ...]]:
    """The last event of a completed or cancelled run is its end."""
    for status, end in _ABSORBING.items():
        ended = Event.objects.filter(run__status=status, sequence=F("run__last_sequence")).exclude(type=end)
        yield from ended.order_by("run_id").values_list("run_id", "sequence", "type")


def _gap_in_events() -> Iterable[tuple[Any, ...]]:
    """From `first_sequence` to `last_sequence` each number once, and no other."""
    held = F("run__last_sequence") - F("run__first_sequence") + 1
    whole = Q(number=F("held"), first=F("run__first_sequence"), last=F("run__last_sequence"))
    counted = Event.objects.order_by().values("run_id").annotate(
        number=Count("id"), first=Min("sequence"), last=Max("sequence"), held=held
    )  # fmt: skip
    yield from counted.exclude(whole).values_list("run_id", "number", "first", "last")
    missing = ~Exists(Event.objects.filter(run=OuterRef("pk")))
    yield from _runs(Q(last_sequence__gte=F("first_sequence")), missing)


def _step_committed_twice() -> Iterable[tuple[Any, ...]]:
    committed = Attempt.objects.filter(outcome=AttemptOutcome.COMPLETED).order_by()
    counted = committed.values("run_id", "step_name").annotate(number=Count("id")).filter(number__gt=1)
    return counted.values_list("run_id", "step_name", "number")


def _signal_taken_by_nobody() -> Iterable[tuple[Any, ...]]:
    taker = Step.objects.filter(run=OuterRef("run"), name=OuterRef("consumed_by"))
    taken = Signal.objects.filter(kind=SignalKind.SIGNAL, consumed_by__isnull=False).filter(~Exists(taker))
    return taken.order_by("id").values_list("run_id", "name", "consumed_by")


def _parent_not_told() -> Iterable[tuple[Any, ...]]:
    return _runs(Q(tell_parent=True, finished_at__lt=_late()))


def _parent_not_woken() -> Iterable[tuple[Any, ...]]:
    """It waits for a child that has ended and been told."""
    waiting = Step.objects.filter(run__status=RunStatus.WAITING, kind="child", status=StepStatus.RUNNING)
    rows = waiting.order_by("id").values_list("run_id", "output").iterator(chunk_size=500)
    parents = {UUID(output["run"]): parent for parent, output in rows if output}
    ids = sorted(parents)
    for place in range(0, len(ids), 500):
        over = Run.objects.filter(id__in=ids[place : place + 500], status__in=ENDED, tell_parent=False)
        for child in over.filter(finished_at__lt=_late()).values_list("id", flat=True):
            yield parents[child], "child", child


def _child_outlives_cancel() -> Iterable[tuple[Any, ...]]:
    cancelled = Q(parent__status=RunStatus.CANCELLED, parent__finished_at__lt=_late(), is_detached=False)
    return _runs(cancelled & ~Q(status__in=ENDED))


def _end_hook_not_called() -> Iterable[tuple[Any, ...]]:
    due = Q(due_at=None) | Q(due_at__lt=_late())
    free = Q(lease_worker=None) | unheld()
    return _runs(Q(status__in=ENDED, end_hook=EndHook.DUE, finished_at__lt=_late()) & due & free)


def _no_worker_for_version() -> Iterable[tuple[Any, ...]]:
    return stranded().order_by("id").values_list("id", "job", "job_version")


INVARIANTS: dict[str, Query] = {
    "running_without_lease": _running_without_lease,
    "lease_without_work": _lease_without_work,
    "idle_without_wake": _idle_without_wake,
    "end_half_written": _end_half_written,
    "open_after_end": _open_after_end,
    "written_after_end": _written_after_end,
    "gap_in_events": _gap_in_events,
    "step_committed_twice": _step_committed_twice,
    "signal_taken_by_nobody": _signal_taken_by_nobody,
    "parent_not_told": _parent_not_told,
    "parent_not_woken": _parent_not_woken,
    "child_outlives_cancel": _child_outlives_cancel,
    "end_hook_not_called": _end_hook_not_called,
    "no_worker_for_version": _no_worker_for_version,
}
"""By name, as people meet it: what it says is in docs/reference/invariants.md."""
