"""Runs that are made first and begin together."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from benchmarks.calls.waiting import ended
from runs import clock, jobs
from runs.models import Run


def queue(job: str, count: int, given: dict[str, Any]) -> list[str]:
    """Ids of runs that stay queued until `release`."""
    tomorrow = clock.now() + timedelta(days=1)
    return [str(one.run.id) for one in jobs.start_many([jobs.NewRun(job, given, run_at=tomorrow)] * count)]


def release(run_ids: list[str]) -> None:
    """All of them become due at this moment, behind the engine's back."""
    Run.objects.filter(id__in=run_ids).update(due_at=clock.sql_now())


def finish(run_ids: list[str]) -> None:
    """Until all of them have ended. Raises RuntimeError when one ended otherwise than completed."""
    ended([Run(id=UUID(run_id)) for run_id in run_ids])
