"""The only writer of workers' rows: leases belong to processes and are measured by the database's clock."""

import os
import socket
from collections.abc import Callable, Iterable
from datetime import timedelta
from functools import cache
from pathlib import Path
from uuid import UUID

from django.db.models import DateTimeField, ExpressionWrapper
from django.db.models.expressions import Combinable
from uuid_utils.compat import uuid7

from runs import clock
from runs.conf import get_settings
from runs.events.doorbell import ring_here
from runs.models import Run, Worker

FORGET_AFTER = timedelta(hours=1)


@cache
def host_id() -> str:
    """Names a set of processes whose pids can be checked from here: boot id and pid namespace."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot}:{os.stat('/proc/self/ns/pid').st_ino}"
    except OSError:
        return socket.gethostname()


def register_worker(pid_start: str, jobs: Iterable[tuple[str, str]], version: str = "") -> UUID:
    """A row with a fresh lease for this process; returns the worker's id. Rows that ended long ago are removed."""
    Worker.objects.filter(expires_at__lt=_from_now(-FORGET_AFTER)).delete()
    worker = uuid7()
    Worker.objects.create(
        id=worker,
        host_id=host_id(),
        host=socket.gethostname(),
        pid=os.getpid(),
        pid_start=pid_start,
        version=version,
        jobs=[list(key) for key in jobs],
        queues=list(get_settings().queues),
        started_at=clock.sql_now(),
        seen_at=clock.sql_now(),
        expires_at=_from_now(_lease()),
    )
    return worker


def renew(worker: UUID) -> bool:
    """Prolong the lease; False if the row is gone.

    A lease that had expired may be renewed: runs that another took meanwhile have a new token, which is what counts.
    """
    changed = Worker.objects.filter(pk=worker).update(seen_at=clock.sql_now(), expires_at=_from_now(_lease()))
    return changed == 1


def give_up(worker: UUID) -> None:
    """The process holds no runs any more, or must not: what is still in its name is due at once."""
    Worker.objects.filter(pk=worker).delete()


def forget(workers: Iterable[UUID]) -> list[Worker]:
    """Remove the rows of these processes, but of none whose lease holds; which. One that was only frozen finds its row
    gone when it wakes, and ends."""
    gone = Worker.objects.filter(pk__in=list(workers), expires_at__lte=clock.sql_now())
    found = list(gone)
    gone.filter(pk__in=[worker.pk for worker in found]).delete()
    return found


def expire_dead(lives: Callable[[int, str], bool]) -> int:
    """End the leases of this host's processes that are dead; returns how many.

    `lives(pid, pid_start)` tells of one process. Only a lost host has to wait for its lease. Every driver hears of the
    runs at once: whoever finds the dead process first, a watchdog too, may not be one that can take them.
    """
    neighbours = Worker.objects.filter(host_id=host_id(), expires_at__gt=clock.sql_now())
    dead = [key for key, pid, started in neighbours.values_list("pk", "pid", "pid_start") if not lives(pid, started)]
    if not dead:
        return 0
    changed = Worker.objects.filter(pk__in=dead).update(expires_at=clock.sql_now())
    ring_here(Run.objects.filter(lease_worker__in=dead).values_list("id", flat=True))
    return changed


def _lease() -> timedelta:
    return timedelta(seconds=get_settings().lease_seconds)


def _from_now(delta: timedelta) -> Combinable:
    return ExpressionWrapper(clock.sql_now() + delta, output_field=DateTimeField())
