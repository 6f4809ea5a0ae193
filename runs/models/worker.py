from typing import Self

from django.db import models
from django.db.models import OuterRef, Subquery
from django.db.models.functions import Coalesce
from uuid_utils.compat import uuid7

from runs.models.run import Run


class WorkerQuerySet(models.QuerySet["Worker"]):
    def with_driving(self) -> Self:
        """With `driving`: how many runs name the worker in their lease right now."""
        held = Run.objects.filter(lease_worker=OuterRef("pk")).order_by().values("lease_worker")
        count = held.annotate(count=models.Count("pk")).values("count")
        return self.annotate(driving=Coalesce(Subquery(count), 0))


class Worker(models.Model):
    """A driver process with a lease on the runs that name it in `lease_worker`."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    host_id = models.CharField(
        max_length=100, help_text="Boot id and pid namespace: pids of one host_id can be checked."
    )
    host = models.CharField(max_length=255)
    pid = models.IntegerField()
    pid_start = models.CharField(max_length=40, help_text="Start time of the pid: pids are used again.")
    version = models.CharField(max_length=100, blank=True, default="")
    jobs = models.JSONField(default=list, help_text="[[name, version], ...] that it can run.")
    queues = models.JSONField(default=list, blank=True, help_text="Names of those that it serves; none: all.")
    started_at = models.DateTimeField()
    seen_at = models.DateTimeField()
    expires_at = models.DateTimeField(db_index=True)

    objects = WorkerQuerySet.as_manager()

    class Meta:
        ordering = ("started_at",)

    def __str__(self) -> str:
        return f"{self.host}:{self.pid}"
