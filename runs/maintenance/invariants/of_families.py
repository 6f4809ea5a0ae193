"""What must hold between a run and the runs that it started."""

from collections.abc import Iterator
from uuid import UUID

from django.db.models import Q

from runs.maintenance.invariants.of_runs import of
from runs.maintenance.invariants.registry import Ids, Rows, among, late
from runs.models import ENDED, Run, RunStatus, Step, StepStatus

_AT_ONCE = 500


def parent_not_told(ids: Ids) -> Rows:
    return of(ids, Q(tell_parent=True, finished_at__lt=late()))


def parent_not_woken(ids: Ids) -> Rows:
    """It waits for a child that has ended and been told."""
    parents = dict(_waited_for(ids))
    children = sorted(parents)
    for place in range(0, len(children), _AT_ONCE):
        some = children[place : place + _AT_ONCE]
        over = Run.objects.filter(id__in=some, status__in=ENDED, tell_parent=False, finished_at__lt=late())
        for child in over.values_list("id", flat=True):
            yield parents[child], "child", child


def _waited_for(ids: Ids) -> Iterator[tuple[UUID, UUID]]:
    """(child, parent) of each wait."""
    waiting = Step.objects.filter(run__status=RunStatus.WAITING, kind="child", status=StepStatus.RUNNING)
    rows = waiting.filter(among(ids, "run_id")).order_by("id").values_list("run_id", "output")
    for parent, output in rows.iterator(chunk_size=_AT_ONCE):
        if output:
            yield UUID(output["run"]), parent


def child_outlives_cancel(ids: Ids) -> Rows:
    cancelled = Q(parent__status=RunStatus.CANCELLED, parent__finished_at__lt=late(), is_detached=False)
    return of(ids, cancelled & Q(parent__isnull=False) & ~Q(status__in=ENDED))
