"""Due runs that no live worker can take, because none has their version of the job."""

from datetime import timedelta
from typing import Any

from django.db.models import DateTimeField, ExpressionWrapper, Q, QuerySet

from runs import clock
from runs.engine import keys
from runs.engine.claim import of_versions, unheld
from runs.engine.store import versions
from runs.engine.store.versions import NO_WORKER
from runs.models import Run, RunStatus, Worker

AFTER = timedelta(seconds=60)
"""So long a run has been due, and a worker gone, before it counts: workers restart one after the other."""


def stranded() -> QuerySet[Run]:
    """Runs that were due for AFTER, of versions that no worker has had for as long (one small query, then lazy)."""
    since = _ago()
    waits = Q(status__in=[RunStatus.QUEUED, RunStatus.WAITING], due_at__lte=since)
    orphans = Q(status=RunStatus.RUNNING, claimed_at__lte=since) & unheld()
    had = Worker.objects.filter(expires_at__gt=since).values_list("jobs", flat=True)
    known = {(name, version) for jobs in had for name, version in jobs}
    return keys.may_begin().filter((waits | orphans) & ~of_versions(sorted(known)))


def mark() -> int:
    """Give stranded runs their reason and take it back from others; how many changed. For every few seconds."""
    lost = stranded()
    marked = Run.objects.filter(reason=NO_WORKER, status__in=versions.COULD_GO_ON)
    found = marked.exclude(id__in=lost.values("id"))
    return versions.set_reason(lost.exclude(reason=NO_WORKER), NO_WORKER) + versions.set_reason(found, "")


def _ago() -> Any:
    return ExpressionWrapper(clock.sql_now() - AFTER, output_field=DateTimeField())
