"""Due runs that no live worker can take: none has their version of the job, or none that has it serves their queue."""

from datetime import timedelta
from typing import Any

from django.db.models import DateTimeField, ExpressionWrapper, Q, QuerySet

from runs import clock
from runs.engine import keys
from runs.engine.claim import of_versions, unheld
from runs.engine.store import versions
from runs.engine.store.versions import NO_SERVER, NO_WORKER
from runs.models import Run, RunStatus, Worker

AFTER = timedelta(seconds=60)
"""So long a run has been due, and a worker gone, before it counts: workers restart one after the other."""


_Reach = tuple[list[tuple[str, str]], list[str]]
"""The (job, version) pairs of a worker, and the queues that it serves; none: all."""


def stranded() -> QuerySet[Run]:
    """Runs that were due for AFTER, of versions that no worker has had for as long (one small query, then lazy)."""
    return _due().filter(~of_versions(_known(_workers())))


def unserved() -> QuerySet[Run]:
    """Runs that were due for AFTER, of versions that some worker has had, and in queues that none of these serves."""
    workers = _workers()
    if not any(queues for _, queues in workers):
        return Run.objects.none()
    return _due().filter(of_versions(_known(workers)) & ~_within_reach(workers))


def mark() -> int:
    """Give stranded runs their reason and take it back from others; how many changed. For every few seconds."""
    return sum(_mark(lost, reason) for lost, reason in ((stranded(), NO_WORKER), (unserved(), NO_SERVER)))


def _mark(lost: QuerySet[Run], reason: str) -> int:
    marked = Run.objects.filter(reason=reason, status__in=versions.COULD_GO_ON)
    found = marked.exclude(id__in=lost.values("id"))
    return versions.set_reason(found, "") + versions.set_reason(lost.exclude(reason=reason), reason)


def _due() -> QuerySet[Run]:
    since = _ago()
    waits = Q(status__in=[RunStatus.QUEUED, RunStatus.WAITING], due_at__lte=since)
    orphans = Q(status=RunStatus.RUNNING, claimed_at__lte=since) & unheld()
    return keys.may_begin().filter(waits | orphans)


def _workers() -> list[_Reach]:
    """Of each worker that has been alive."""
    rows = Worker.objects.filter(expires_at__gt=_ago()).values_list("jobs", "queues")
    return [([(name, version) for name, version in jobs], list(queues)) for jobs, queues in rows]


def _known(workers: list[_Reach]) -> list[tuple[str, str]]:
    return sorted({key for jobs, _ in workers for key in jobs})


def _within_reach(workers: list[_Reach]) -> Q:
    """Runs that some worker could take. Workers with the same queues are one condition."""
    by_queues: dict[tuple[str, ...], set[tuple[str, str]]] = {}
    for jobs, queues in workers:
        by_queues.setdefault(tuple(sorted(queues)), set()).update(jobs)
    condition = Q(pk__in=[])
    for queues_served, keys_of in by_queues.items():
        condition |= of_versions(sorted(keys_of)) & (Q(queue__in=queues_served) if queues_served else Q())
    return condition


def _ago() -> Any:
    return ExpressionWrapper(clock.sql_now() - AFTER, output_field=DateTimeField())
