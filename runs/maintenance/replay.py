"""Recorded histories against today's code: which runs would a deploy break?"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from runs import clock, jobs
from runs.engine.rehearsal import Fit, rehearse
from runs.errors import JobNotFound
from runs.models import ENDED, Run, RunStatus

__all__ = ["Fit", "Replayed", "replay", "runs_to_replay"]


@dataclass(frozen=True, kw_only=True)
class Replayed:
    """One run and how its history fits. `expected` is the step recorded, `met` the one that the code asks for."""

    run: UUID
    job: str
    version: str
    status: str
    live: bool
    fit: Fit
    expected: str
    met: str
    message: str

    @property
    def would_break(self) -> bool:
        """Whether a deploy of this code stops or fails a run that could still go on."""
        return self.live and self.fit in (Fit.BREAKS, Fit.ERROR)

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"run": str(self.run), "fit": self.fit.value}


def runs_to_replay(job: str | None, since: timedelta, run_id: UUID | str | None = None) -> QuerySet[Run]:
    """All runs that could still go on, and those that ended within `since`; of one job, or the one run.

    Raises JobNotFound, RunNotFound.
    """
    if run_id is not None:
        found = Run.objects.filter(pk=jobs.get(run_id).pk)
        return found.filter(job=job) if job is not None else found
    if job is not None and job not in {one.name for one in jobs.all_jobs()} and not _has_runs(job):
        raise JobNotFound(job)
    recent = ~Q(status__in=ENDED) | Q(status=RunStatus.FAILED) | Q(finished_at__gte=clock.now() - since)
    rows = Run.objects.filter(recent, write_no__gt=0).order_by("id")
    return rows.filter(job=job) if job is not None else rows


def replay(runs: QuerySet[Run], against: str | None = None) -> Iterator[Replayed]:
    """Each run against its own version of its job, or against another one. Nothing is called or written."""
    for run in runs.iterator(chunk_size=100):
        came = rehearse(run, against)
        yield Replayed(
            run=run.pk, job=run.job, version=against or run.job_version, status=run.status, live=_is_live(run),
            fit=came.fit, expected=came.expected, met=came.met, message=came.message,
        )  # fmt: skip


def _has_runs(job: str) -> bool:
    return Run.objects.filter(job=job).exists()


def _is_live(run: Run) -> bool:
    """A run that goes on by itself, or by an operator's retry."""
    if run.status == RunStatus.FAILED:
        return run.first_sequence == 1 and (run.parent_id is None or run.tell_parent)
    return run.status not in ENDED
