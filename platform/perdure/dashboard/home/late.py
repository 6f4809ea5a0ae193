"""Runs that somebody should look at though they have not failed: nobody takes them, they are held, or they are silent.

Each look is bounded: it asks an index for the few that it names, and a handful of rows for each.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import OuterRef, QuerySet, Subquery

from perdure.dashboard.run.rows import duration_text
from perdure.dashboard.run.titles import title_of
from perdure.dashboard.seen import Seen
from runs import clock
from runs.models import Event, Run, RunStatus, Spending

OVERDUE = timedelta(minutes=5)
"""A worker takes a due run within a second; after so long something is in its way."""
SILENT = timedelta(minutes=30)
"""A run that works this long without a step, a log line or progress may hang."""
SHOWN = 8
_LOOKED_AT = 200
_NAMED = 1_000

_HELD = {
    "crash_loop": "its worker died several times without a recorded step",
    "nondeterminism": "the code no longer fits what it has recorded",
    "job_not_found": "no code of its job is registered",
}
_MORE = {"tokens": "more tokens", "cost": "more money", "steps": "more steps", "active_seconds": "more time to work"}


@dataclass(frozen=True)
class Late:
    """A run and what is wrong with it; `due_at` for one that a worker should have taken."""

    run: Run
    title: str
    why: str
    due_at: datetime | None = None


def read_late(seen: Seen) -> list[Late]:
    """The worst first: what nobody can take, what the engine held, what waits for more budget, what is overdue, what
    is silent."""
    found: dict[Any, Late] = {}
    for late in _all(seen):
        found.setdefault(late.run.id, late)
        if len(found) == SHOWN:
            break
    return list(found.values())


def _all(seen: Seen) -> Iterator[Late]:
    for search in (_unservable, _held, _spent, _overdue, _silent):
        yield from search(seen)


def _unservable(seen: Seen) -> Iterator[Late]:
    """Each reason has an index of its own."""
    for run in _of(seen, Run.objects.filter(reason="no_worker_for_version")):
        yield _late(run, f"no worker has version {run.job_version} of {run.job}", run.due_at)
    for run in _of(seen, Run.objects.filter(reason="no_worker_for_queue")):
        yield _late(run, f"no worker serves queue {run.queue}", run.due_at)


def _held(seen: Seen) -> Iterator[Late]:
    """Paused by the engine: what a person holds is no surprise to them."""
    paused = seen.ids(RunStatus.PAUSED, most=_LOOKED_AT)
    for run in _some(seen.runs(paused).filter(reason__in=list(_HELD))):
        yield _late(run, f"paused: {_HELD[run.reason]}")


def _spent(seen: Seen) -> Iterator[Late]:
    parked = Spending.objects.filter(parked_by__isnull=False).values_list("run_id", flat=True)[:_LOOKED_AT]
    for run in _some(seen.runs(list(parked)).filter(status=RunStatus.WAITING)):
        limit = run.reason.removeprefix("budget ")
        yield _late(run, f"waits for {_MORE.get(limit, 'more')}: its budget is spent")


def _overdue(seen: Seen) -> Iterator[Late]:
    queued = seen.ids(RunStatus.QUEUED, most=_LOOKED_AT, oldest=True)
    due = seen.runs(queued).filter(due_at__lte=clock.now() - OVERDUE)
    for run in due.order_by("due_at")[:SHOWN]:
        yield _late(run, "no worker has taken it yet", run.due_at)


def _silent(seen: Seen) -> Iterator[Late]:
    since = clock.now() - SILENT
    last = Event.objects.filter(run=OuterRef("pk"), sequence=OuterRef("last_sequence")).values("created_at")[:1]
    running = seen.ids(RunStatus.RUNNING, most=_LOOKED_AT, oldest=True)
    long = seen.runs(running).filter(claimed_at__lte=since).annotate(said_at=Subquery(last))
    for run in _quietest(long, since):
        said_at = run.said_at or run.claimed_at  # type: ignore[attr-defined]
        yield _late(run, f"running, and nothing recorded for {_long(said_at)}")


def _of(seen: Seen, named: QuerySet[Run]) -> QuerySet[Run]:
    """Those that one may see among the newest that an index names."""
    ids = list(named.order_by("-id").values_list("id", flat=True)[:_NAMED])
    return _some(seen.runs(ids))


def _quietest(runs: Iterable[Any], since: datetime) -> list[Run]:
    quiet = [run for run in runs if run.said_at is None or run.said_at <= since]
    return sorted(quiet, key=lambda run: run.said_at or run.claimed_at)


def _long(since: datetime | None) -> str:
    return duration_text((clock.now() - since).total_seconds()) if since else "long"


def _some(runs: QuerySet[Run]) -> QuerySet[Run]:
    return runs.order_by("-id")[:SHOWN]


def _late(run: Run, why: str, due_at: datetime | None = None) -> Late:
    return Late(run, title_of(run), why, due_at)
