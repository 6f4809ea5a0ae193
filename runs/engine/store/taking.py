"""PostgreSQL: a claim is one statement.

It goes from one group of due runs (queue, job, version, priority) to the next by an index, so that neither runs that
wait for a time nor those that somebody else will take are read. What has to be decided run by run (keys, queues with
a limit, runs of dead workers, crash loops) it only finds: `runs.engine.claim` decides it.
"""

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import psycopg
from django.db import connection

from runs import clock
from runs.conf import get_settings
from runs.engine.store.control import RESUMED, RETRIED
from runs.engine.store.prepared import prepared_connection
from runs.models import ENDED, Run


class Taken(NamedTuple):
    """What the statement did and found.

    `runs` are taken; none if there are `special` ones, which go before or between them. `hooks`: ended runs with a due
    hook. `crowded`: there may be more due ones than were looked at. `next_due_at`: when the earliest run that is not
    due yet becomes so.
    """

    runs: list[Run]
    special: bool
    hooks: bool
    crowded: bool
    next_due_at: datetime | None


def take(worker_id: UUID, jobs: Iterable[tuple[str, str]], limit: int, closed: Iterable[str] = ()) -> Taken:
    """Take up to `limit` due runs under new tokens, if none is special. Nothing of the queues `closed` is looked at."""
    settings = get_settings()
    names, versions = zip(*jobs, strict=True)
    cursor = psycopg.Cursor(prepared_connection())
    with connection.wrap_database_errors:
        cursor.execute(
            _STATEMENT,
            {
                "standing": clock.standing(), "offset": clock.offset(), "now": clock.now(), "worker": worker_id,
                "jobs": list(names), "versions": list(versions), "served": list(settings.queues) or None,
                "limited": list(settings.queue_limits), "closed": list(closed), "limit": limit,
                "window": 3 * limit + 32,
                "max_claims": settings.max_claims,
            },
            prepare=True,
        )  # fmt: skip
        rows = cursor.fetchall()
    special, hooks, crowded, next_due_at = rows[0][:4]
    return Taken([_run(row[4:]) for row in rows if row[4] is not None], special, hooks, crowded, next_due_at)


def _run(values: tuple[Any, ...]) -> Run:
    found = [
        json.loads(value) if is_json and isinstance(value, str) else value
        for is_json, value in zip(_IS_JSON, values, strict=True)
    ]
    return Run.from_db(connection.alias, _NAMES, found)


_FIELDS = list(Run._meta.concrete_fields)
_NAMES = [field.attname for field in _FIELDS]
_IS_JSON = [field.get_internal_type() == "JSONField" for field in _FIELDS]

_ENDED = ", ".join(f"'{status.value}'" for status in ENDED)
_WAITS = "r.status IN ('queued', 'waiting') AND r.due_at IS NOT NULL"
_FREE = f"{_WAITS} AND r.concurrency_key IS NULL"
_KEYED = f"{_WAITS} AND r.concurrency_key IS NOT NULL"
_GROUP = "r.queue, r.job, r.job_version, r.priority"
_IN_GROUP = "(r.queue, r.job, r.job_version, r.priority) = (g.queue, g.job, g.job_version, g.priority)"
_IS_MINE = "(r.job, r.job_version) IN (SELECT job, job_version FROM had)"

_STATEMENT = f"""
WITH RECURSIVE moment AS MATERIALIZED (
  SELECT COALESCE(%(standing)s::timestamptz, statement_timestamp()) + %(offset)s::interval AS now
), had AS MATERIALIZED (
  SELECT * FROM unnest(%(jobs)s::text[], %(versions)s::text[]) AS h(job, job_version)
), step AS (
  (SELECT {_GROUP} FROM runs_run r WHERE {_FREE} ORDER BY {_GROUP} LIMIT 1)
  UNION ALL
  SELECT n.* FROM step g CROSS JOIN LATERAL (
    SELECT {_GROUP} FROM runs_run r
    WHERE {_FREE} AND ({_GROUP}) > (g.queue, g.job, g.job_version, g.priority) ORDER BY {_GROUP} LIMIT 1
  ) n
), mine AS MATERIALIZED (
  SELECT g.*, CASE WHEN q.name IS NULL THEN g.queue = ANY(%(limited)s::text[]) ELSE q.concurrency IS NOT NULL END
    AS is_limited
  FROM step g JOIN had h USING (job, job_version) LEFT JOIN runs_queue q ON q.name = g.queue
  WHERE (%(served)s::text[] IS NULL OR g.queue = ANY(%(served)s::text[])) AND NOT COALESCE(q.is_paused, false)
  AND g.queue <> ALL(%(closed)s::text[])
), due AS MATERIALIZED (
  SELECT d.id, d.priority, d.due_at, d.claims, g.is_limited FROM mine g CROSS JOIN LATERAL (
    SELECT r.id, r.priority, r.due_at, r.claims FROM runs_run r
    WHERE {_FREE} AND {_IN_GROUP} AND r.due_at <= (SELECT now FROM moment)
    ORDER BY r.due_at, r.id LIMIT CASE WHEN g.is_limited THEN 1 ELSE %(window)s::int END
  ) d ORDER BY d.priority DESC, d.due_at, d.id LIMIT %(window)s::int
), found AS MATERIALIZED (
  SELECT EXISTS (SELECT FROM due WHERE is_limited OR claims >= %(max_claims)s::int)
    OR EXISTS (
      SELECT FROM had h CROSS JOIN LATERAL (
        SELECT FROM runs_run r WHERE {_KEYED} AND r.job = h.job AND r.job_version = h.job_version
        AND r.due_at <= (SELECT now FROM moment) LIMIT 1) k)
    OR EXISTS (
      SELECT FROM runs_run r WHERE r.lease_worker IS NOT NULL AND r.status = 'running' AND {_IS_MINE}
      AND r.lease_worker <> ALL(
        ARRAY(SELECT w.id FROM runs_worker w WHERE w.expires_at > (SELECT now FROM moment)))) AS special,
  EXISTS (
    SELECT FROM runs_run r WHERE r.end_hook = 'due' AND r.status IN ({_ENDED}) AND {_IS_MINE}
    AND COALESCE(r.due_at <= (SELECT now FROM moment), true)) AS hooks,
  LEAST((
    SELECT min(l.due_at) FROM mine g CROSS JOIN LATERAL (
      SELECT r.due_at FROM runs_run r WHERE {_FREE} AND {_IN_GROUP} AND r.due_at > (SELECT now FROM moment)
      ORDER BY r.due_at LIMIT 1) l
  ), (
    SELECT min(l.due_at) FROM had h CROSS JOIN LATERAL (
      SELECT r.due_at FROM runs_run r WHERE {_KEYED} AND r.job = h.job AND r.job_version = h.job_version
      AND r.due_at > (SELECT now FROM moment) ORDER BY r.due_at LIMIT 1) l
  )) AS next_due_at
), locked AS MATERIALIZED (
  SELECT r.id, r.started_at, r.attempt, r.reason FROM runs_run r
  WHERE r.id = ANY(ARRAY(SELECT id FROM due)) AND r.status IN ('queued', 'waiting')
  AND COALESCE(r.due_at <= (SELECT now FROM moment), false) -- by the ids, and not by an index of due runs
  AND {_IS_MINE} -- again under the lock: it may have been moved to another version
  AND NOT (SELECT special FROM found)
  ORDER BY r.priority DESC, r.due_at, r.id LIMIT %(limit)s::int FOR NO KEY UPDATE OF r SKIP LOCKED
), told AS MATERIALIZED (
  SELECT id, CASE WHEN started_at IS NULL AND attempt = 1 THEN 'run:start'
    WHEN reason NOT IN ('{RESUMED}', '{RETRIED}') THEN 'run:resume' END AS event FROM locked
), taken AS (
  UPDATE runs_run r SET status = 'running', reason = '', due_at = NULL, lease_worker = %(worker)s::uuid,
    lease_token = r.lease_token + 1, claims = r.claims + 1, claimed_at = (SELECT now FROM moment),
    started_at = COALESCE(r.started_at, (SELECT now FROM moment)),
    last_sequence = r.last_sequence + (t.event IS NOT NULL)::int
  FROM told t WHERE r.id = t.id RETURNING r.*
), noted AS (
  INSERT INTO runs_event (run_id, sequence, type, data, created_at)
  SELECT t.id, n.last_sequence, t.event, '{{}}', GREATEST(%(now)s::timestamptz, n.claimed_at)
  FROM told t JOIN taken n USING (id) WHERE t.event IS NOT NULL
)
SELECT f.special, f.hooks, (SELECT count(*) >= %(window)s::int FROM due), f.next_due_at,
  {", ".join(f"t.{field.column}" for field in _FIELDS)}
FROM found f LEFT JOIN taken t ON true ORDER BY t.priority DESC, t.id
"""
