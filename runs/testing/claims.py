"""Workers without a process, and jobs that are there for one test only."""

from contextlib import AbstractContextManager
from datetime import timedelta

from uuid_utils.compat import uuid7

from runs import clock
from runs.definitions import registry
from runs.engine.claim import claim_due
from runs.jobs import all_jobs
from runs.models import Run, Worker


def temporary_jobs() -> AbstractContextManager[None]:
    """Jobs that are registered inside are forgotten afterwards, as if another version had been deployed."""
    return registry.restored()


def frozen_worker(*, lease: timedelta = timedelta(hours=1)) -> Worker:
    """A worker's row without a process behind it: holds what is claimed for it until its lease ends."""
    now = clock.now()
    return Worker.objects.create(
        id=uuid7(), host_id="testing", host="testing", pid=0, pid_start="", started_at=now, seen_at=now,
        expires_at=now + lease,
    )  # fmt: skip


def claim_for(worker: Worker, limit: int = 32) -> list[Run]:
    """Claim for a worker without a process, as a worker that then dies would."""
    return claim_due(worker.id, [job.key for job in all_jobs()], limit)
