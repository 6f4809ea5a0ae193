"""What must hold of the steps, attempts, signals and events of a run."""

from itertools import pairwise
from uuid import UUID

from django.db.models import Count, Exists, F, Max, Min, OuterRef, Q, Subquery

from runs.events.types import EventType
from runs.maintenance.invariants.of_runs import of
from runs.maintenance.invariants.registry import LATE, Ids, Rows, among
from runs.models import ENDED, Event, Run, RunStatus, Signal, SignalKind, Step, StepStatus

_ABSORBING = {RunStatus.COMPLETED: EventType.RUN_COMPLETE, RunStatus.CANCELLED: EventType.RUN_CANCEL}
_ENDS_OF_STEP = (EventType.STEP_COMPLETE.value, EventType.STEP_CANCEL.value)
_SENT = (EventType.SIGNAL_RECEIVE.value, EventType.UPDATE_ACCEPT.value)


def open_after_end(ids: Ids) -> Rows:
    open_steps = Step.objects.filter(run__status__in=ENDED, status__in=[StepStatus.RUNNING, StepStatus.RETRYING])
    return open_steps.filter(among(ids, "run_id")).order_by("id").values_list("run_id", "name")


def written_after_end(ids: Ids) -> Rows:
    """The last event of a completed or cancelled run is its end."""
    for status, end in _ABSORBING.items():
        ended = Event.objects.filter(run__status=status, sequence=F("run__last_sequence")).exclude(type=end.value)
        yield from ended.filter(among(ids, "run_id")).order_by("run_id").values_list("run_id", "sequence", "type")


def gap_in_events(ids: Ids) -> Rows:
    """From `first_sequence` to `last_sequence` each number once, and no other."""
    held = F("run__last_sequence") - F("run__first_sequence") + 1
    whole = Q(number=F("held"), first=F("run__first_sequence"), last=F("run__last_sequence"))
    counted = Event.objects.filter(among(ids, "run_id")).order_by().values("run_id").annotate(
        number=Count("id"), first=Min("sequence"), last=Max("sequence"), held=held
    )  # fmt: skip
    yield from counted.exclude(whole).values_list("run_id", "number", "first", "last")
    missing = ~Exists(Event.objects.filter(run=OuterRef("pk")))
    yield from of(ids, Q(last_sequence__gte=F("first_sequence")), missing)


def step_committed_twice(ids: Ids) -> Rows:
    """By the log: not every attempt has a row."""
    committed = Event.objects.filter(among(ids, "run_id"), type=EventType.STEP_COMPLETE.value).order_by()
    counted = committed.values("run_id", "step").annotate(number=Count("id")).filter(number__gt=1)
    for run_id, step, number in counted.values_list("run_id", "step", "number"):
        if _is_never_called_off(run_id, step):
            yield run_id, step, number


def _is_never_called_off(run_id: UUID, step: str | None) -> bool:
    """Whether one result follows another. One that nobody received may be cancelled, and a retry of the run, which
    begins again what was at work, asks for it anew."""
    ends = Event.objects.filter(run_id=run_id, step=step, type__in=_ENDS_OF_STEP).order_by("sequence")
    types = list(ends.values_list("type", flat=True))
    return any(pair == (_ENDS_OF_STEP[0],) * 2 for pair in pairwise(types))


def signal_taken_by_nobody(ids: Ids) -> Rows:
    taker = Step.objects.filter(run=OuterRef("run"), name=OuterRef("consumed_by"))
    taken = Signal.objects.filter(among(ids, "run_id"), kind=SignalKind.SIGNAL, consumed_by__isnull=False)
    return taken.filter(~Exists(taker)).order_by("id").values_list("run_id", "name", "consumed_by")


def signal_slept_through(ids: Ids) -> Rows:
    """Whatever is sent to a waiting run queues it: none has anything in its log that came after it began to wait."""
    log = Event.objects.filter(run=OuterRef("pk"))
    began = log.filter(type=EventType.RUN_WAIT.value).order_by("-sequence").values("sequence")[:1]
    waiting = Run.objects.filter(among(ids), status=RunStatus.WAITING).alias(began=Subquery(began))
    sent = Event.objects.filter(run=OuterRef("pk"), sequence__gt=OuterRef("began"), type__in=_SENT)
    return waiting.filter(Exists(sent)).order_by("id").values_list("id", "reason")


def timer_not_set(ids: Ids) -> Rows:
    """A waiting run is due no later than the first of its steps that wait for a time."""
    waits = Q(run__status=RunStatus.WAITING, status__in=[StepStatus.RUNNING, StepStatus.RETRYING])
    late = Q(run__due_at=None) | Q(run__due_at__gt=F("wake_at") + LATE)
    missed = Step.objects.filter(among(ids, "run_id"), waits & late, wake_at__isnull=False)
    return missed.order_by("id").values_list("run_id", "name", "wake_at")
