"""What must hold of a run's own row, and of the worker that it names."""

from django.db.models import DateTimeField, Exists, ExpressionWrapper, OuterRef, Q, QuerySet
from django.db.models.expressions import Combinable

from runs import clock
from runs.engine import queues
from runs.engine.claim import unheld
from runs.engine.stranded import stranded, unserved
from runs.maintenance.invariants.registry import LATE, Ids, Rows, among, late
from runs.models import ENDED, EndHook, Run, RunStatus, Spending, Step, StepStatus, Worker

_IDLE = (RunStatus.QUEUED, RunStatus.WAITING, RunStatus.PAUSED)


def of(ids: Ids, *conditions: Q | Combinable) -> QuerySet[Run, tuple[object, ...]]:
    """`(id, status, reason)` of the runs that break it."""
    return Run.objects.filter(among(ids), *conditions).order_by("id").values_list("id", "status", "reason")


def running_without_lease(ids: Ids) -> Rows:
    return of(ids, Q(status=RunStatus.RUNNING, lease_worker=None))


def left_by_the_dead(ids: Ids) -> Rows:
    """Nobody took over what a worker left that has been dead for a minute, though one could."""
    since = ExpressionWrapper(clock.sql_now() - LATE, output_field=DateTimeField())
    lately = Worker.objects.filter(expires_at__gt=since, id=OuterRef("lease_worker"))
    left = Q(status=RunStatus.RUNNING, lease_worker__isnull=False, claimed_at__lt=late())
    lost = Q(id__in=stranded().values("id")) | Q(id__in=unserved().values("id"))
    return of(ids, left & queues.moving(queues.rules()), ~Exists(lately)).exclude(lost)


def lease_without_work(ids: Ids) -> Rows:
    ended = Q(status__in=ENDED) & ~Q(end_hook=EndHook.DUE)
    return of(ids, Q(lease_worker__isnull=False) & (Q(status__in=_IDLE) | ended))


def idle_without_wake(ids: Ids) -> Rows:
    """Queued without a time, or waiting without a time and for nothing."""
    waits = Exists(Step.objects.filter(run=OuterRef("pk"), status=StepStatus.RUNNING))
    parked = Exists(Spending.objects.filter(run_id=OuterRef("pk"), parked_by__isnull=False))
    never = Run.objects.filter(among(ids), ~waits, ~parked, status=RunStatus.WAITING, due_at=None).values("id")
    return of(ids, Q(due_at=None) & (Q(status=RunStatus.QUEUED) | Q(id__in=never)))


def end_half_written(ids: Ids) -> Rows:
    ended = Q(status__in=ENDED)
    due = ended & Q(due_at__isnull=False) & ~Q(end_hook=EndHook.DUE)
    return of(ids, due | (ended & Q(finished_at=None)) | (~ended & Q(finished_at__isnull=False)))


def end_hook_armed(ids: Ids) -> Rows:
    """With the end's own column too: an index holds such rows, and none of a healthy database."""
    return of(ids, Q(status__in=ENDED, finished_at__isnull=False, end_hook=EndHook.ARMED))


def end_hook_not_called(ids: Ids) -> Rows:
    due = Q(due_at=None) | Q(due_at__lt=late())
    free = Q(lease_worker=None) | unheld()
    return of(ids, Q(status__in=ENDED, end_hook=EndHook.DUE, finished_at__lt=late()) & due & free)


def no_worker_for_version(ids: Ids) -> Rows:
    return stranded().filter(among(ids)).order_by("id").values_list("id", "job", "job_version")


def no_worker_for_queue(ids: Ids) -> Rows:
    return unserved().filter(among(ids)).order_by("id").values_list("id", "queue")
