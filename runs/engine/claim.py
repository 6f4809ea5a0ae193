"""The next due runs, for a worker that has room. One code for both databases: rows are locked, not waited for."""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Coalesce

from runs import clock
from runs.conf import get_settings
from runs.engine import keys, queues, trials
from runs.engine.store import taking, taking_on_sqlite
from runs.engine.store.control import RESUMED, RETRIED
from runs.engine.store.rows import append_event_to_each, append_events
from runs.events.types import EventDraft, EventType
from runs.models import ENDED, EndHook, Event, Run, RunStatus, Worker

Versions = Iterable[tuple[str, str]]

_CRASH_LOOP = (
    "{} worker processes in a row died or hung while they drove this run, and none recorded a step. Look at the "
    "workers' log and memory, mend the step that is not completed, and resume the run."
)


class Claim(NamedTuple):
    """What a worker got, and when the earliest run that is not due yet becomes so (None: not known, or none)."""

    runs: list[Run]
    next_due_at: datetime | None


def claim_due(worker_id: UUID, jobs: Versions, limit: int) -> list[Run]:
    """Take up to `limit` runs under new tokens; see `claim`."""
    return claim(worker_id, jobs, limit).runs


def claim(worker_id: UUID, jobs: Versions, limit: int) -> Claim:
    """Take up to `limit` runs under new tokens: orphans first, then due runs, then ended runs whose hook is due.

    A run that was claimed too often without a recorded step is paused instead (`crash_loop`): one poisonous run
    must not kill worker after worker.
    """
    jobs = list(jobs)
    if limit <= 0 or not jobs:
        return Claim([], None)
    if not (taken := _take_at_once(worker_id, jobs, limit)).special:
        room = limit - len(taken.runs)
        if taken.crowded:
            return Claim(taken.runs + _claim_by_rules(worker_id, jobs, room), taken.next_due_at)
        return Claim(taken.runs + _claim_hooks(worker_id, jobs, room if taken.hooks else 0), taken.next_due_at)
    runs = _claim_by_rules(worker_id, jobs, limit)
    return Claim(runs, next_due_at(jobs) if len(runs) < limit else None)


def held_by(worker_id: UUID) -> list[Run]:
    """Every run that was claimed for the worker and not given back: of a claim whose answer was lost, too."""
    return list(Run.objects.filter(lease_worker=worker_id).order_by("id"))


def _take_at_once(worker_id: UUID, jobs: list[tuple[str, str]], limit: int) -> taking.Taken:
    if connection.vendor == "sqlite":
        return taking_on_sqlite.take(worker_id, jobs, limit)
    taken = taking.take(worker_id, jobs, limit)
    if taken.special and (closed := queues.full()):  # it may be no more than the line before a full queue
        taken = taking.take(worker_id, jobs, limit, closed)
    return taken


def _claim_hooks(worker_id: UUID, jobs: Versions, limit: int) -> list[Run]:
    if limit <= 0:
        return []
    mine = of_versions(jobs) & queues.served() & queues.moving(queues.rules())
    with transaction.atomic():
        return _keep(_locked(_hooks(mine), limit), worker_id)


def _claim_by_rules(worker_id: UUID, jobs: Versions, limit: int) -> list[Run]:
    """Each rule a query of its own: what SQLite does, and PostgreSQL where a run cannot be taken without a count."""
    if limit <= 0:
        return []
    rules = queues.rules()
    mine = of_versions(jobs) & queues.served() & queues.moving(rules)
    if connection.vendor == "sqlite" and not _is_anything_due(mine, rules):
        return []  # a look costs no write lock
    with transaction.atomic():
        found = _locked(_orphans(mine & ~trials.suspected()), limit)
        if len(found) < limit and not trials.is_under_way(worker_id):
            found += _locked(_orphans(mine & trials.suspected()), 1)
        if len(found) < limit:
            room = limit - len(found)
            found += keys.admit(_locked(queues.with_room(_due(mine), rules, room), room))
        found += _locked(_hooks(mine), limit - len(found))
        return _keep(found, worker_id)


def _keep(found: list[Run], worker_id: UUID) -> list[Run]:
    """Take the locked runs but for those that kill their workers."""
    poisonous = [run for run in found if run.claims >= get_settings().max_claims]
    for run in found:
        _add_lost_time(run)
    for run in poisonous:
        _stop_crash_loop(run)
    return _take([run for run in found if run not in poisonous], worker_id) if found else []


def _is_anything_due(mine: Q, rules: dict[str, queues.Rule]) -> bool:
    return any(query.exists() for query in (queues.with_room(_due(mine), rules, 1), _orphans(mine), _hooks(mine)))


def next_due_at(jobs: Versions) -> datetime | None:
    """When the earliest run that is not due yet becomes so."""
    later = Q(status__in=[RunStatus.QUEUED, RunStatus.WAITING], due_at__gt=clock.sql_now())
    mine = Run.objects.filter(of_versions(jobs) & queues.served() & later)
    due_at: datetime | None = mine.order_by("due_at").values_list("due_at", flat=True).first()
    return due_at


def of_versions(jobs: Versions) -> Q:
    """Runs of these names and versions of jobs."""
    by_name: dict[str, set[str]] = {}
    for name, version in jobs:
        by_name.setdefault(name, set()).add(version)
    # Names with the same versions in one test: one for each name costs a look most of its time, in Python.
    by_versions: dict[frozenset[str], list[str]] = {}
    for name, versions in by_name.items():
        by_versions.setdefault(frozenset(versions), []).append(name)
    condition = Q(pk__in=[])
    for same, names in by_versions.items():
        condition |= Q(job__in=names, job_version__in=sorted(same))
    return condition


def _locked(query: QuerySet[Run], limit: int) -> list[Run]:
    if limit <= 0:
        return []
    return list(query.select_for_update(skip_locked=True, no_key=True, of=("self",))[:limit])


def _due(versions: Q) -> QuerySet[Run]:
    due = Q(status__in=[RunStatus.QUEUED, RunStatus.WAITING], due_at__lte=clock.sql_now())
    return keys.may_begin().filter(due & versions).order_by("-priority", "due_at", "id")


def _orphans(versions: Q) -> QuerySet[Run]:
    return Run.objects.filter(unheld() & Q(status=RunStatus.RUNNING) & versions).order_by("id")


def _hooks(versions: Q) -> QuerySet[Run]:
    free = Q(lease_worker=None) | unheld()
    due = Q(status__in=ENDED, end_hook=EndHook.DUE) & (Q(due_at=None) | Q(due_at__lte=clock.sql_now()))
    return Run.objects.filter(due & free & versions).order_by("id")


def unheld() -> Q:
    """Held by a worker whose row is gone or expired."""
    alive = Worker.objects.filter(expires_at__gt=clock.sql_now()).values("id")
    return Q(lease_worker__isnull=False) & ~Q(lease_worker__in=alive)


def _take(runs: list[Run], worker_id: UUID) -> list[Run]:
    if ended := [run.id for run in runs if run.has_ended]:
        Run.objects.filter(id__in=ended).update(**_lease(worker_id))
    Run.objects.filter(id__in=[run.id for run in runs if not run.has_ended]).update(
        **_lease(worker_id),
        status=RunStatus.RUNNING,
        reason="",
        due_at=None,
        started_at=Coalesce(F("started_at"), clock.sql_now()),
    )
    drafts = {run: draft for run in runs if not run.has_ended and (draft := _claim_event(run)) is not None}
    append_event_to_each(drafts)
    return list(Run.objects.filter(id__in=[run.id for run in runs]).order_by("-priority", "id"))


def _lease(worker_id: UUID) -> dict[str, object]:
    return {
        "lease_worker": worker_id,
        "lease_token": F("lease_token") + 1,
        "claims": F("claims") + 1,
        "claimed_at": clock.sql_now(),
    }


def _add_lost_time(run: Run) -> None:
    """What its dead worker worked on it, up to the last that it recorded: a run's timeout counts that too."""
    if run.status != RunStatus.RUNNING or run.claimed_at is None:
        return
    last_at = Event.objects.filter(run=run).order_by("-sequence").values_list("created_at", flat=True).first()
    worked = (last_at - run.claimed_at).total_seconds() * 1000 if last_at else 0
    Run.objects.filter(id=run.id).update(active_ms=F("active_ms") + max(0, int(worked)))


def _claim_event(run: Run) -> EventDraft | None:
    if run.started_at is None and run.attempt == 1:
        return EventDraft(EventType.RUN_START)
    if run.status == RunStatus.RUNNING:
        return EventDraft(EventType.RUN_RECOVER, {"claims": run.claims + 1})
    if run.reason in (RESUMED, RETRIED):
        return None
    return EventDraft(EventType.RUN_RESUME)


def _stop_crash_loop(run: Run) -> None:
    error = {"type": "CrashLoop", "message": _CRASH_LOOP.format(run.claims)}
    paused = {"status": RunStatus.PAUSED, "reason": "crash_loop", "error": error}
    Run.objects.filter(id=run.id).update(
        **({"end_hook": EndHook.FAILED} if run.has_ended else paused),
        lease_worker=None,
        lease_token=F("lease_token") + 1,
        due_at=None,
    )
    if not run.has_ended:
        append_events(
            run, [EventDraft(EventType.RUN_PAUSE, {"reason": "crash_loop", "claims": run.claims, "error": error})]
        )
