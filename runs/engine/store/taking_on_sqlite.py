"""SQLite: a look that takes no lock, and where nothing is to be decided run by run, a claim of a few plain statements.

The rules of `runs.engine.claim` come to the same by a dozen queries. To put those together takes Django ten times as
long as SQLite takes to answer them, and all of it would be idle time before a run begins.
"""

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from runs import clock
from runs.conf import get_settings
from runs.engine.store.control import RESUMED, RETRIED
from runs.engine.store.taking import Taken
from runs.events.types import EventType
from runs.models import ENDED, Run, RunStatus


def take(worker_id: UUID, jobs: Iterable[tuple[str, str]], limit: int) -> Taken:
    """Take up to `limit` due runs under new tokens, if none is special.

    Special are here, besides runs with keys, of dead workers or in a crash loop: hooks that are due, and every due run
    while there is a queue with a limit.
    """
    given = _parameters(jobs, limit)
    with connection.cursor() as cursor:
        cursor.execute(_LOOK, given)
        is_due, special, next_due_at = cursor.fetchone()
    if special or not is_due:
        return Taken([], bool(special), False, False, _time(next_due_at))
    with transaction.atomic():
        runs = list(Run.objects.raw(_DUE, given))
        if any(run.claims >= get_settings().max_claims for run in runs):
            return Taken([], True, False, False, None)
        _keep(runs, worker_id)
    runs.sort(key=lambda run: (-run.priority, run.id))
    return Taken(runs, False, False, False, _time(next_due_at) if len(runs) < limit else None)


def _parameters(jobs: Iterable[tuple[str, str]], limit: int) -> dict[str, Any]:
    settings = get_settings()
    return {
        "jobs": json.dumps(list(jobs)), "now": _text(clock.now()), "limit": limit,
        "served": json.dumps(settings.queues) if settings.queues else None,
        "has_limits": bool(settings.queue_limits),
    }  # fmt: skip


def _keep(runs: list[Run], worker_id: UUID) -> None:
    now = clock.now()
    events = []
    for run in runs:
        if (event := _event(run)) is not None:
            run.last_sequence += 1
            events.append((run.id.hex, run.last_sequence, event.value, _text(now)))
        run.status, run.reason, run.due_at, run.lease_worker = RunStatus.RUNNING, "", None, worker_id
        run.lease_token, run.claims, run.claimed_at = run.lease_token + 1, run.claims + 1, now
        run.started_at = run.started_at or now
    with connection.cursor() as cursor:
        cursor.executemany(_TAKE, [_row(run) for run in runs])
        cursor.executemany(_NOTE, events)


def _event(run: Run) -> EventType | None:
    if run.started_at is None and run.attempt == 1:
        return EventType.RUN_START
    return None if run.reason in (RESUMED, RETRIED) else EventType.RUN_RESUME


def _row(run: Run) -> tuple[Any, ...]:
    assert run.lease_worker is not None
    times = (_text(run.claimed_at), _text(run.started_at))
    return (run.lease_worker.hex, run.lease_token, run.claims, *times, run.last_sequence, run.id.hex)


def _text(at: datetime | None) -> Any:
    return connection.ops.adapt_datetimefield_value(at)


def _time(naive: datetime | None) -> datetime | None:
    return None if naive is None else naive.replace(tzinfo=UTC)


# By the index of each: the one by status would read every ended run, or every due one.
_WAITS = "r.status IN ('queued', 'waiting') AND r.due_at IS NOT NULL"  # as the partial indexes say it
_IS_DUE = f"{_WAITS} AND r.due_at <= %(now)s"
_IS_MINE = (
    "(r.job, r.job_version) IN"
    " (SELECT json_extract(h.value, '$[0]'), json_extract(h.value, '$[1]') FROM json_each(%(jobs)s) h)"
)
_IS_SERVED = (
    "(%(served)s IS NULL OR r.queue IN (SELECT s.value FROM json_each(%(served)s) s))"
    " AND r.queue NOT IN (SELECT q.name FROM runs_queue q WHERE q.is_paused)"
)
_ENDED = ", ".join(f"'{status.value}'" for status in ENDED)

_LOOK = f"""
WITH look AS MATERIALIZED (
  SELECT EXISTS (
    SELECT 1 FROM runs_run r INDEXED BY run_due_next WHERE {_IS_DUE} AND {_IS_MINE} AND {_IS_SERVED}) AS is_due
)
SELECT is_due,
  is_due AND (%(has_limits)s OR EXISTS (SELECT 1 FROM runs_queue q WHERE q.concurrency IS NOT NULL))
  OR is_due AND EXISTS (
    SELECT 1 FROM runs_run r INDEXED BY run_due_with_key
    WHERE {_IS_DUE} AND r.concurrency_key IS NOT NULL AND {_IS_MINE})
  OR EXISTS (
    SELECT 1 FROM runs_run r INDEXED BY run_leased
    WHERE r.lease_worker IS NOT NULL AND r.status = 'running' AND {_IS_MINE}
    AND r.lease_worker NOT IN (SELECT w.id FROM runs_worker w WHERE w.expires_at > %(now)s))
  OR EXISTS (
    SELECT 1 FROM runs_run r INDEXED BY run_end_hook_due
    WHERE r.end_hook = 'due' AND r.status IN ({_ENDED}) AND {_IS_MINE}
    AND COALESCE(r.due_at <= %(now)s, 1)),
  (SELECT r.due_at FROM runs_run r INDEXED BY run_due_next
    WHERE {_WAITS} AND r.due_at > %(now)s AND {_IS_MINE} AND {_IS_SERVED} ORDER BY r.due_at LIMIT 1)
FROM look
"""

_DUE = f"""
SELECT r.* FROM runs_run r INDEXED BY run_due
WHERE {_IS_DUE} AND r.concurrency_key IS NULL AND {_IS_MINE} AND {_IS_SERVED}
ORDER BY r.priority DESC, r.due_at, r.id LIMIT %(limit)s
"""

_TAKE = """
UPDATE runs_run SET status = 'running', reason = '', due_at = NULL, lease_worker = %s, lease_token = %s, claims = %s,
  claimed_at = %s, started_at = %s, last_sequence = %s
WHERE id = %s
"""

_NOTE = "INSERT INTO runs_event (run_id, sequence, type, data, created_at) VALUES (%s, %s, %s, '{}', %s)"
