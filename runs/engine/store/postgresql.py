"""PostgreSQL: a whole batch is one statement.

A batch never waits for a row: the first CTE locks what is free and skips the rest, everything joins on it. Two
batches of plain UPDATEs deadlocked, and one locked run stalled a process's whole batch.
"""

import json
from functools import cache
from typing import Any
from uuid import UUID

from django.db import connection

from runs import clock
from runs.conf import get_settings
from runs.engine.store.transitions import (
    ATTEMPTS,
    CHECKPOINTS,
    COLUMNS,
    EVENTS,
    STEPS,
    Entry,
    Result,
    Table,
    Written,
    rows_of,
)


def commit(entries: list[Entry]) -> dict[UUID, Written]:
    """Commit the batch; the result of each run. Raises what the database raises, with nothing done."""
    with connection.cursor() as cursor:
        cursor.execute(_statement(), _parameters(entries))
        found = {row[0]: row[1:] for row in cursor.fetchall()}
        missing = [entry.run_id for entry in entries if entry.run_id not in found]
        alive = _existing(cursor, missing)
    return {entry.run_id: _result(entry, found.get(entry.run_id), entry.run_id in alive) for entry in entries}


def _result(entry: Entry, row: tuple[Any, ...] | None, exists: bool) -> Written:
    if row is None:
        return Written(Result.BUSY if exists else Result.LOST)
    token, holder, last_sequence = row
    if last_sequence is not None:
        return Written(Result.DONE, last_sequence)
    if token != entry.token or holder is None:
        return Written(Result.LOST)
    return Written(Result.INBOX if entry.change.expect_inbox is not None else Result.LOST)


def _existing(cursor: Any, run_ids: list[UUID]) -> set[UUID]:
    if not run_ids:
        return set()
    cursor.execute("SELECT id FROM runs_run WHERE id = ANY(%s)", [run_ids])
    return {row[0] for row in cursor.fetchall()}


def _parameters(entries: list[Entry]) -> list[Any]:
    events = rows_of(entries, "event_rows")
    counts: dict[UUID, int] = {}
    for event in events:
        counts[event.run_id] = counts.get(event.run_id, 0) + 1
    changes = [entry.change for entry in entries]
    forgotten = [(entry.run_id, step) for entry in entries for step in entry.forgotten_steps()]
    return [
        [entry.run_id for entry in entries],
        [entry.token for entry in entries],
        [entry.write_no for entry in entries],
        [counts.get(entry.run_id, 0) for entry in entries],
        [change.expect_inbox for change in changes],
        [change.release for change in changes],
        [_as_json(change.values) for change in changes],
        clock.offset(),
        *_arrays(STEPS, rows_of(entries, "step_rows")),
        *_arrays(ATTEMPTS, rows_of(entries, "attempt_rows")),
        *_arrays(CHECKPOINTS, rows_of(entries, "checkpoint_rows")),
        *_arrays(EVENTS, events),
        get_settings().checkpoints_kept,
        [run_id for run_id, _ in forgotten],
        [step for _, step in forgotten],
    ]


def _as_json(values: dict[str, Any]) -> str:
    """One JSON object; columns of JSON hold text already and go in as they are."""
    parts = []
    for name, value in values.items():
        is_text = COLUMNS[name] == "jsonb" and value is not None
        parts.append(f"{json.dumps(name)}:{value if is_text else json.dumps(value, default=str)}")
    return "{" + ",".join(parts) + "}"


def _arrays(table: Table, rows: list[Any]) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)] if rows else [[] for _ in table.columns]


@cache
def _statement() -> str:
    changes = ",\n".join(f"  {name} = {_new_value(name, kind)}" for name, kind in COLUMNS.items() if name != "end_hook")
    return f"""
WITH entry AS MATERIALIZED (
  SELECT * FROM unnest(%s::uuid[], %s::bigint[], %s::bigint[], %s::int[], %s::bigint[], %s::bool[], %s::jsonb[])
  AS e(id, token, write_no, events, inbox, release, change)
), moment AS MATERIALIZED (
  SELECT statement_timestamp() + %s::interval AS now
), locked AS MATERIALIZED (
  SELECT id, lease_token, write_no, inbox, lease_worker FROM runs_run WHERE id IN (SELECT id FROM entry)
  FOR NO KEY UPDATE SKIP LOCKED
), written AS (
  UPDATE runs_run r SET
{changes},
  end_hook = CASE WHEN e.change ->> 'status' IN ('completed', 'cancelled', 'failed') AND r.end_hook = 'armed'
    THEN 'due' ELSE COALESCE(e.change ->> 'end_hook', r.end_hook) END,
  lease_worker = CASE WHEN e.release THEN NULL ELSE r.lease_worker END,
  active_ms = CASE WHEN e.release
    THEN r.active_ms + GREATEST(0, EXTRACT(EPOCH FROM (SELECT now FROM moment) - r.claimed_at) * 1000)::bigint
    ELSE r.active_ms END,
  write_no = e.write_no,
  last_sequence = r.last_sequence + e.events
  FROM entry e JOIN locked l ON l.id = e.id
  WHERE r.id = e.id AND l.lease_token = e.token AND l.write_no = e.write_no - 1
    AND l.lease_worker IS NOT NULL -- a lease that was given back allows nothing more
    AND (e.inbox IS NULL OR l.inbox = e.inbox)
  RETURNING r.id, r.last_sequence, r.last_sequence - e.events AS base
), steps AS ({_insert(STEPS)}
), attempts AS ({_insert(ATTEMPTS)}
), checkpoints AS ({_insert(CHECKPOINTS)} RETURNING run_id, step_name, number
), events AS ({_insert(EVENTS)}
), pruned AS (
  DELETE FROM runs_checkpoint c USING checkpoints n
  WHERE c.run_id = n.run_id AND c.step_name = n.step_name AND c.number <= n.number - %s
), forgotten AS (
  DELETE FROM runs_checkpoint c USING unnest(%s::uuid[], %s::text[]) AS f(run_id, step_name)
  WHERE c.run_id = f.run_id AND c.step_name = f.step_name AND c.run_id IN (SELECT id FROM written)
)
SELECT l.id, l.lease_token, l.lease_worker, w.last_sequence FROM locked l LEFT JOIN written w ON w.id = l.id
"""


def _new_value(name: str, kind: str) -> str:
    text = f"(e.change ->> '{name}')::{kind}"
    value = f"NULLIF(e.change -> '{name}', 'null'::jsonb)" if kind == "jsonb" else text
    return f"CASE WHEN e.change ? '{name}' THEN {value} ELSE r.{name} END"


def _insert(table: Table) -> str:
    arrays = ", ".join(f"%s::{kind}[]" for _, kind in table.columns)
    names = ", ".join(table.names)
    values = ", ".join(f"w.base + i.{name}" if name == "sequence" else f"i.{name}" for name in table.names)
    return (
        f"\n  INSERT INTO {table.name} ({names}) SELECT {values} FROM unnest({arrays}) AS i({names})"
        f"\n  JOIN written w ON w.id = i.run_id {table.on_conflict}"
    )
