"""Starting what schedules make due. The start of a run and the move to the next time are one transaction."""

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import Q, QuerySet

from runs import clock
from runs.definitions import registry
from runs.engine.payload import clean
from runs.engine.schedules import Plan, plan
from runs.engine.store import choice, schedules
from runs.engine.store.rows import SYSTEM, Actor, iso, write_audit
from runs.engine.store.start import Started, StartOptions, check_text, start
from runs.errors import OwnerInactive, RunsError, ScheduleBusy
from runs.models import ENDED, Overlap, Run, Schedule

log = logging.getLogger(__name__)

QUEUE_LIMIT: Final = 100
"""Runs of one schedule that may wait for each other; beyond that its times are skipped."""

FOREIGN_AFTER: Final = timedelta(seconds=60)
"""A schedule of a job that this process does not have is left to others for so long: they may be starting."""

Versions = Iterable[tuple[str, str]]

_FIRED: Final = (
    *("next_at", "last_at", "last_run", "skipped", "last_skipped_at", "missed", "last_missed_at", "failed", "error"),
)


def fire_due(jobs: Versions, limit: int = 8) -> int:
    """Start what is due of up to `limit` schedules; how many of them were dealt with.

    `jobs` are the (name, version) pairs that this process has. Schedules that another driver holds are passed over.
    """
    due = _due(jobs)
    if connection.vendor == "sqlite" and not due.exists():
        return 0  # a look costs no write lock
    with transaction.atomic():
        free = due.select_for_update(skip_locked=True, no_key=True, of=("self",)).select_related("owner", "team")
        found = list(free.annotate(moment=clock.sql_now()).order_by("next_at")[:limit])
        for schedule in found:
            _carry_out(schedule, schedule.moment)
            schedule.save(update_fields=_FIRED)
        return len(found)


def next_due_at() -> datetime | None:
    """When the earliest schedule that is not due yet becomes so."""
    later = Schedule.objects.filter(next_at__gt=clock.sql_now()).order_by("next_at")
    found: datetime | None = later.values_list("next_at", flat=True).first()
    return found


def trigger_schedule(
    schedule_id: UUID | str, *, starter: Any = None, idempotency_key: str | None = None, actor: Actor = SYSTEM
) -> Started:
    """Start its run now, also of one that is paused or over; its next time stays.

    The run of a team's schedule belongs to the `starter`, if one is given: nobody approves as a colleague what they
    started themselves. Without a team it belongs to the schedule's owner, who would not see it otherwise.
    Raises ScheduleNotFound, ScheduleBusy, OwnerInactive, and what starting a run raises.
    """
    check_text("idempotency_key", idempotency_key, 100)
    with transaction.atomic():
        schedule = schedules.lock(schedule_id)
        key = f"{schedule.concurrency_key}:now:{idempotency_key}" if idempotency_key else None
        same = Run.objects.filter(_in_scope(schedule), job=schedule.job, idempotency_key=key)
        is_repeated = key is not None and same.exists()
        if not is_repeated and schedule.overlap == Overlap.SKIP and (busy := _under_way(schedule).first()):
            raise ScheduleBusy(schedule.name, busy.id)
        started = _start(schedule, None, key, actor, starter)
        schedule.last_run, schedule.error = started.run.id, None
        schedule.save(update_fields=["last_run", "error"])
        if started.disposition == "created":
            write_audit(actor, "schedule.trigger", schedule, {"run": str(started.run.id)})
    return started


def _due(jobs: Versions) -> QuerySet[Schedule]:
    own = Q(job_version="", job__in={name for name, _ in jobs})
    for name, version in jobs:
        own |= Q(job=name, job_version=version)
    now = clock.sql_now()
    return Schedule.objects.filter(Q(next_at__lte=now) & (own | Q(next_at__lte=now - FOREIGN_AFTER)))


def _carry_out(schedule: Schedule, now: datetime) -> None:
    """Whatever is wrong with this schedule ends up on its row: it neither stops the driver nor comes back at once."""
    planned = schedule.next_at or now
    try:
        times, within = schedules.timetable_of(schedule), timedelta(seconds=schedule.catch_up_seconds)
        found = plan(times, planned, max(now, planned), schedule.catch_up, within)
    except Exception as exc:
        schedule.next_at = None
        _note_failure(schedule, exc, now)
        return
    schedule.next_at = found.next_at
    _note_missed(schedule, found, now)
    for at in found.start:
        _start_planned(schedule, at, now)


def _start_planned(schedule: Schedule, at: datetime, now: datetime) -> None:
    try:
        if _must_skip(schedule):
            schedule.skipped += 1
            schedule.last_skipped_at = at
            return
        actor = Actor("schedule", str(schedule.id), schedule.name)
        with transaction.atomic():
            started = _start(schedule, at, f"{schedule.concurrency_key}:{iso(at)}", actor)
        schedule.last_at, schedule.last_run, schedule.error = at, started.run.id, None
    except (OperationalError, InterfaceError):
        raise  # the database's trouble, not the schedule's: tried again
    except Exception as exc:
        _note_failure(schedule, exc, now)


def _start(schedule: Schedule, at: datetime | None, key: str | None, actor: Actor, starter: Any = None) -> Started:
    if schedule.owner is not None and not schedule.owner.is_active and schedule.team is None:
        raise OwnerInactive(schedule.name)
    alone = schedule.overlap != Overlap.ALLOW
    options = StartOptions(
        owner=(starter if schedule.team else None) or schedules.owner_at_work(schedule), team=schedule.team,
        labels=schedule.labels, priority=schedule.priority,
        queue=schedule.queue or None, run_at=at, idempotency_key=key, one_at_a_time=alone,
        concurrency_key=schedule.concurrency_key if alone else None,
    )  # fmt: skip
    pinned = schedule.job_version
    job = registry.get(schedule.job, pinned) if pinned else choice.choose_for(schedule.job, options)
    return start(job, schedule.input, options, actor)


def _must_skip(schedule: Schedule) -> bool:
    match schedule.overlap:
        case Overlap.SKIP:
            return _under_way(schedule).exists()
        case Overlap.QUEUE:
            return _under_way(schedule).count() >= QUEUE_LIMIT
    return False


def _under_way(schedule: Schedule) -> QuerySet[Run]:
    """By the key, and the last one: it may be of another job, or of a time when overlapping was allowed."""
    keyed = _in_scope(schedule) & Q(job=schedule.job, concurrency_key=schedule.concurrency_key)
    return Run.objects.filter(keyed | Q(id=schedule.last_run)).exclude(status__in=ENDED)


def _in_scope(schedule: Schedule) -> Q:
    """As keys are: of the team or, without one, of the owner."""
    return Q(team=schedule.team) if schedule.team else Q(team=None, owner=schedule.owner)


def _note_missed(schedule: Schedule, found: Plan, now: datetime) -> None:
    if found.missed:
        schedule.missed += found.missed
        schedule.last_missed_at = now


def _note_failure(schedule: Schedule, exc: Exception, now: datetime) -> None:
    code = exc.code if isinstance(exc, RunsError) else "internal_error"
    message = str(exc) if isinstance(exc, RunsError) else f"{type(exc).__name__}: {exc}"
    schedule.failed += 1
    schedule.error = {"code": code, "message": clean(message, 1000), "at": iso(now)}
    log.warning("Schedule %s (%s) could not start a run: %s", schedule.id, schedule.name, schedule.error["message"])
