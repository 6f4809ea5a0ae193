"""What attempts have used, added up by the hour and by run: pages that show it read no attempts.

An attempt is marked in the transaction that adds it, so it counts once, whoever looks and whenever it was written.
"""

from collections.abc import Iterable
from datetime import datetime
from hashlib import sha256
from typing import Any, NamedTuple
from uuid import UUID

from django.db import transaction
from django.db.models import F, QuerySet, Value
from django.db.models.functions import Least

from runs.engine.store.spent import Used, used_of
from runs.models import Attempt, AttemptOutcome, Run, RunUsage, UsageHour

BATCH = 500
"""Attempts of one transaction: some tens of milliseconds."""


_MOST = 10**16
"""Of one row: what a job's code tells of itself must not overflow a sum, which would stop all that follow."""


class _Of(NamedTuple):
    hour: datetime
    job: str
    provider: str
    model: str
    team_id: int | None
    owner_id: int | None

    @property
    def key(self) -> str:
        return sha256("\0".join(map(str, self)).encode("utf-8", "replace")).hexdigest()


def count_usage(limit: int = BATCH) -> int:
    """Add up to `limit` attempts that have ended to their hours; how many there were."""
    if not _uncounted().exists():
        return 0  # a look costs no write lock
    with transaction.atomic():
        counted, by_run = _count(_uncounted().select_for_update(skip_locked=True, no_key=True).order_by("id")[:limit])
        _add_to_runs(by_run)
    return counted


def count_usage_of(run_ids: Iterable[UUID]) -> None:
    """In the transaction that deletes these runs: what they used is added before it is gone."""
    left = Attempt.objects.filter(usage__isnull=False, is_counted=False, run__in=list(run_ids))
    _count(left.select_for_update(no_key=True).order_by("id"))


def forget_usage(before: datetime) -> int:
    """Delete the hours that began before; how many rows there were."""
    return UsageHour.objects.filter(hour__lt=before).delete()[0]


def _uncounted() -> QuerySet[Attempt]:
    return Attempt.objects.filter(usage__isnull=False, is_counted=False).exclude(outcome=AttemptOutcome.OPEN)


def _count(attempts: QuerySet[Attempt]) -> tuple[int, dict[UUID, Used]]:
    """How many there were, and what they used by run."""
    rows = list(attempts.values_list("id", "run_id", "started_at", "ended_at", "usage"))
    runs = _whose({row[1] for row in rows})
    by_hour: dict[_Of, Used] = {}
    by_run: dict[UUID, Used] = {}
    for _, run_id, started_at, ended_at, usage in rows:
        if run_id in runs and isinstance(usage, dict):
            of, used = _of(ended_at or started_at, runs[run_id], usage), _bounded(used_of(usage))
            by_hour[of] = by_hour.get(of, Used()).plus(used)
            by_run[run_id] = by_run.get(run_id, Used()).plus(used)
    _add(by_hour)
    Attempt.objects.filter(id__in=[row[0] for row in rows]).update(is_counted=True)
    return len(rows), by_run


def _whose(run_ids: set[UUID]) -> dict[UUID, tuple[str, int | None, int | None]]:
    found = Run.objects.filter(id__in=run_ids).values_list("id", "job", "team_id", "owner_id")
    return {run_id: (job, team, owner) for run_id, job, team, owner in found}


def _of(at: datetime, run: tuple[str, int | None, int | None], usage: dict[str, Any]) -> _Of:
    job, team, owner = run
    provider, model = (_text(usage.get(name), most) for name, most in (("provider", 100), ("model", 200)))
    return _Of(at.replace(minute=0, second=0, microsecond=0), job, provider, model, team, owner)


def _bounded(used: Used) -> Used:
    return Used(*(min(value, _MOST // BATCH) for value in used))


def _text(value: Any, most: int) -> str:
    return value[:most] if isinstance(value, str) else ""


def _add(sums: dict[_Of, Used]) -> None:
    """In the order of the keys: two that add to the same hours wait for each other, and never in a ring."""
    ordered = sorted(sums.items(), key=lambda item: item[0].key)
    UsageHour.objects.bulk_create([UsageHour(key=of.key, **of._asdict()) for of, _ in ordered], ignore_conflicts=True)
    for of, used in ordered:
        more = {name: Least(F(name), Value(_MOST - value)) + value for name, value in used._asdict().items()}
        UsageHour.objects.filter(key=of.key).update(**more)


def _add_to_runs(sums: dict[UUID, Used]) -> None:
    """After the hours, and in the order of the runs, for the same reason."""
    ids = sorted(sums)
    RunUsage.objects.bulk_create([RunUsage(run_id=run_id) for run_id in ids], ignore_conflicts=True)
    rows = list(RunUsage.objects.select_for_update(no_key=True).filter(run__in=ids).order_by("run_id"))
    for row in rows:
        for name, value in sums[row.run_id]._asdict().items():
            setattr(row, name, min(getattr(row, name) + value, _MOST))
    RunUsage.objects.bulk_update(rows, Used._fields)
