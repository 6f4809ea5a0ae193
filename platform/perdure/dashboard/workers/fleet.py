"""The live workers, and what none of them can do. Hosts, processes and their load are for staff alone."""

from collections import defaultdict
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Count, QuerySet

from perdure.dashboard.seen import Seen
from runs import clock
from runs.conf import get_settings
from runs.jobs import QueueState, all_jobs, queue_states, visible_runs
from runs.models import Run, RunStatus, Worker

UNDER_WAY = (RunStatus.RUNNING, RunStatus.QUEUED, RunStatus.WAITING, RunStatus.PAUSED)
COUNTED = 2_000
"""Runs in queues: of more the newest are counted, which is said."""
SHOWN = 5
"""Runs of one worker."""
_RUNS = 500


@dataclass(frozen=True)
class Process:
    """A live worker. `runs` are the newest of those that it drives and the reader may see; `driving` counts all."""

    worker: Worker
    driving: int
    room: int
    runs: list[Run]
    jobs: list[tuple[str, str]]

    @property
    def load(self) -> int:
        """Of its room, in percent."""
        return min(100, round(100 * self.driving / self.room))


@dataclass(frozen=True)
class Missing:
    """A version that a job has here and no live worker has; so many of the reader's runs wait for it."""

    job: str
    version: str
    waiting: int


@dataclass(frozen=True)
class Fleet:
    """`versions` are those of the software, with how many workers have each. `processes` is empty but for staff."""

    alive: int
    versions: list[tuple[str, int]]
    driving: int | None
    missing: list[Missing]
    processes: list[Process]
    queues: list[QueueState]
    counts_all: bool


def read_fleet(user: Any) -> Fleet:
    workers = _alive()
    may_look = bool(user.is_active and user.is_staff)
    counts, is_all = _counts(user)
    return Fleet(
        alive=len(workers),
        versions=_versions(workers),
        driving=sum(_driving(worker) for worker in workers) if may_look else None,
        missing=_missing(user, workers),
        processes=_processes(user, workers) if may_look else [],
        queues=queue_states(counts),
        counts_all=is_all,
    )


def _counts(user: Any) -> tuple[dict[str, dict[str, int]], bool]:
    """How many runs that `user` may see are in which queue, by status; and whether all were looked at."""
    ids = Seen(user).ids(*UNDER_WAY, most=COUNTED)
    counts: dict[str, dict[str, int]] = defaultdict(dict)
    rows = Run.objects.filter(id__in=ids).order_by().values_list("queue", "status")
    for queue, status, number in rows.annotate(number=Count("pk")):
        counts[queue][status] = number
    return counts, len(ids) < COUNTED


@dataclass(frozen=True)
class Health:
    """What home says of the workers."""

    alive: int
    versions: list[tuple[str, int]]
    missing: list[Missing]

    @property
    def tone(self) -> str:
        return "bad" if not self.alive else "warning" if self.missing else ""

    @property
    def hint(self) -> str:
        if not self.alive:
            return "nothing is worked on"
        if self.missing:
            return f"{len(self.missing)} job version{'' if len(self.missing) == 1 else 's'} without one"
        return ", ".join(f"version {version}" for version, _ in self.versions[:2])


def read_health(user: Any) -> Health:
    workers = _alive()
    return Health(len(workers), _versions(workers), _missing(user, workers))


def _alive() -> list[Worker]:
    return list(Worker.objects.with_driving().filter(expires_at__gt=clock.sql_now()))


def _driving(worker: Worker) -> int:
    return int(worker.driving)  # type: ignore[attr-defined]


def _versions(workers: list[Worker]) -> list[tuple[str, int]]:
    counts: dict[str, int] = defaultdict(int)
    for worker in workers:
        counts[worker.version or "unknown"] += 1
    return sorted(counts.items(), reverse=True)


def _missing(user: Any, workers: list[Worker]) -> list[Missing]:
    """Without any worker nothing is missing in particular: the page says that none is alive."""
    if not workers:
        return []
    known = {(name, version) for worker in workers for name, version in worker.jobs}
    waiting = _waiting(visible_runs(user).filter(reason="no_worker_for_version"))
    wanted = {job.key for job in all_jobs()} | set(waiting)
    return [Missing(job, version, waiting.get((job, version), 0)) for job, version in sorted(wanted - known)]


def _waiting(stranded: QuerySet[Run]) -> dict[tuple[str, str], int]:
    rows = stranded.order_by().values_list("job", "job_version").annotate(number=Count("pk"))
    return {(job, version): number for job, version, number in rows}


def _processes(user: Any, workers: list[Worker]) -> list[Process]:
    room = get_settings().concurrency
    driven = _driven(user, [worker.pk for worker in workers])
    return [
        Process(worker, _driving(worker), room, driven[worker.pk], sorted((name, v) for name, v in worker.jobs))
        for worker in workers
    ]


def _driven(user: Any, workers: list[UUID]) -> dict[UUID, list[Run]]:
    runs = visible_runs(user).filter(lease_worker__in=workers, status=RunStatus.RUNNING)
    found: dict[UUID, list[Run]] = defaultdict(list)
    for run in runs.select_related("owner", "team").order_by("-id")[:_RUNS]:
        if run.lease_worker is not None and len(found[run.lease_worker]) < SHOWN:
            found[run.lease_worker].append(run)
    return found
