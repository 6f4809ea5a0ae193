"""The runs that schedules started, found by the keys that the engine gives them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from runs import jobs
from runs.models import Overlap, Run, Schedule

LOOKED_AT = 5000
"""So many of a job's newest runs are looked at for those of schedules whose runs may overlap: no index finds them."""


@dataclass(frozen=True)
class FoundRuns:
    """`is_all` is False where a job has had more runs than are looked at."""

    ids: list[UUID]
    is_all: bool


def last_runs(user: Any, schedule: Schedule, count: int) -> tuple[list[Run], bool]:
    """The newest of a schedule that `user` may see, and whether all were looked at."""
    found = _overlapping(user, [schedule])
    runs = _of(user, [schedule], found).select_related("owner", "team").order_by("-id")[:count]
    return list(runs), found.is_all or len(runs) == count


def runs_of(user: Any, schedules: Sequence[Schedule]) -> tuple[QuerySet[Run], bool]:
    """Those of all of them that `user` may see, and whether all were looked at."""
    found = _overlapping(user, schedules)
    return _of(user, schedules, found), found.is_all


def schedule_of(run: Run, schedules: dict[str, Schedule]) -> Schedule | None:
    """Of schedules by their ids."""
    for key in (run.idempotency_key, run.concurrency_key):
        kind, _, rest = (key or "").partition(":")
        if kind == "schedule" and (found := schedules.get(rest.partition(":")[0])):
            return found
    return next((one for one in schedules.values() if one.last_run == run.pk), None)


def _of(user: Any, schedules: Sequence[Schedule], found: FoundRuns) -> QuerySet[Run]:
    keys = [one.concurrency_key for one in schedules]
    keyed = Q(job__in={one.job for one in schedules}, concurrency_key__in=keys)
    known = [one.last_run for one in schedules if one.last_run] + found.ids
    return jobs.visible_runs(user).filter(keyed | Q(pk__in=known))


def _overlapping(user: Any, schedules: Sequence[Schedule]) -> FoundRuns:
    """Runs that may overlap have no concurrency key, but the time that they were planned for in another."""
    beginnings = tuple(f"{one.concurrency_key}:" for one in schedules if one.overlap == Overlap.ALLOW)
    ids: list[UUID] = []
    is_all = True
    for job in sorted({one.job for one in schedules if one.overlap == Overlap.ALLOW}):
        rows = jobs.visible_runs(user).filter(job=job).order_by("-id").values_list("id", "idempotency_key")
        looked_at = list(rows[:LOOKED_AT])
        is_all = is_all and len(looked_at) < LOOKED_AT
        ids += [run for run, key in looked_at if key and key.startswith(beginnings)]
    return FoundRuns(ids, is_all)
