"""PostgreSQL: a whole batch is one statement, prepared once per connection.

A batch never waits for a row: the first CTE locks what is free and skips the rest, everything joins on it. Two
batches of plain UPDATEs deadlocked, and one locked run stalled a process's whole batch.
"""

import re
from functools import cache
from itertools import count
from uuid import UUID

from runs import clock
from runs.conf import get_settings
from runs.engine.store import lone
from runs.engine.store.arrays import change_text, literal
from runs.engine.store.prepared import execute
from runs.engine.store.tables import ARTIFACTS, ATTEMPTS, CHECKPOINTS, EVENTS, LETTERS, SPENDINGS, STATES, STEPS, Table
from runs.engine.store.transitions import COLUMNS, Entry, Result, Written, rows_of


def commit(entries: list[Entry]) -> dict[UUID, Written]:
    """Commit the batch; the result of each run. Raises what the database raises, with nothing done."""
    if len(entries) == 1 and (written := lone.commit(entries[0])) is not None:
        return {entries[0].run_id: written}
    parts = _parts(entries)
    found = {row[0]: row[1:] for row in execute(_statement(tuple(parts)), _parameters(entries, parts))}
    missing = [entry.run_id for entry in entries if str(entry.run_id) not in found]
    alive = _existing(missing)
    return {entry.run_id: _result(entry, found.get(str(entry.run_id)), entry.run_id in alive) for entry in entries}


def _result(entry: Entry, row: tuple[str | None, ...] | None, exists: bool) -> Written:
    if row is None:
        return Written(Result.BUSY if exists else Result.LOST)
    token, holder, last_sequence = row
    if last_sequence is not None:
        return Written(Result.DONE, int(last_sequence))
    if token != str(entry.token) or holder is None:
        return Written(Result.LOST)
    return Written(Result.INBOX if entry.change.expect_inbox is not None else Result.LOST)


def _existing(run_ids: list[UUID]) -> set[UUID]:
    if not run_ids:
        return set()
    rows = execute("SELECT id FROM runs_run WHERE id = ANY($1::uuid[])", [literal("uuid", run_ids)])
    return {UUID(row[0]) for row in rows}


_ROWS: dict[str, tuple[Table, str]] = {
    "steps": (STEPS, "step_rows"),
    "attempts": (ATTEMPTS, "attempt_rows"),
    "checkpoints": (CHECKPOINTS, "checkpoint_rows"),
    "letters": (LETTERS, "letter_rows"),
    "artifacts": (ARTIFACTS, "artifact_rows"),
    "states": (STATES, "state_rows"),
    "spendings": (SPENDINGS, "spending_rows"),
    "events": (EVENTS, "event_rows"),
}


def _parts(entries: list[Entry]) -> dict[str, list[str]]:
    """What the batch writes besides the runs' own rows, by the name of its CTE; empty kinds cost no planning."""
    parts: dict[str, list[str]] = {}
    for name, (table, rows) in _ROWS.items():
        if found := rows_of(entries, rows):
            columns = zip(*found, strict=True)
            parts[name] = [literal(kind, column) for (_, kind), column in zip(table.columns, columns, strict=True)]
    if "checkpoints" in parts:
        parts["pruned"] = [str(get_settings().checkpoints_kept)]
    if forgotten := [(entry.run_id, step) for entry in entries for step in entry.forgotten_steps()]:
        runs, steps = zip(*forgotten, strict=True)
        parts["forgotten"] = [literal("uuid", runs), literal("text", steps)]
    return parts


def _parameters(entries: list[Entry], parts: dict[str, list[str]]) -> list[str | None]:
    standing = clock.standing()
    changes = [entry.change for entry in entries]
    return [
        literal("uuid", [entry.run_id for entry in entries]),
        literal("bigint", [entry.token for entry in entries]),
        literal("bigint", [entry.write_no for entry in entries]),
        literal("int", [entry.event_count for entry in entries]),
        literal("bigint", [change.expect_inbox for change in changes]),
        literal("bool", [change.release for change in changes]),
        literal("jsonb", [change_text(change) for change in changes]),
        None if standing is None else standing.isoformat(),
        f"{clock.offset().total_seconds()} seconds",
        *(parameter for part in parts.values() for parameter in part),
    ]


@cache
def _statement(names: tuple[str, ...]) -> str:
    parts = "".join(f", {name} AS ({_part(name)}\n)" for name in names)
    changes = ",\n".join(f"  {name} = {_new_value(name, kind)}" for name, kind in COLUMNS.items() if name != "end_hook")
    text = f"""
WITH entry AS MATERIALIZED (
  SELECT * FROM unnest(%s::uuid[], %s::bigint[], %s::bigint[], %s::int[], %s::bigint[], %s::bool[], %s::jsonb[])
  AS e(id, token, write_no, events, inbox, release, change)
), moment AS MATERIALIZED (
  SELECT COALESCE(%s::timestamptz, statement_timestamp()) + %s::interval AS now
), locked AS MATERIALIZED (
  SELECT id, lease_token, write_no, inbox, lease_worker FROM runs_run WHERE id = ANY(ARRAY(SELECT id FROM entry))
  FOR NO KEY UPDATE SKIP LOCKED
), written AS (
  UPDATE runs_run r SET
{changes},
  end_hook = CASE WHEN e.change ->> 'status' IN ('completed', 'cancelled', 'failed') AND r.end_hook = 'armed'
    THEN 'due' ELSE COALESCE(e.change ->> 'end_hook', r.end_hook) END,
  tell_parent = r.tell_parent OR (r.parent_id IS NOT NULL
    AND COALESCE(e.change ->> 'status', '') IN ('completed', 'cancelled', 'failed')),
  lease_worker = CASE WHEN e.release THEN NULL ELSE r.lease_worker END,
  active_ms = CASE WHEN e.release
    THEN r.active_ms + GREATEST(0, EXTRACT(EPOCH FROM (SELECT now FROM moment) - r.claimed_at) * 1000)::bigint
    ELSE r.active_ms END,
  write_no = e.write_no,
  last_sequence = r.last_sequence + e.events
  FROM entry e JOIN locked l ON l.id = e.id
  WHERE r.id = e.id AND r.id = ANY(ARRAY(SELECT id FROM entry))
    AND l.lease_token = e.token AND l.write_no = e.write_no - 1
    AND l.lease_worker IS NOT NULL -- a lease that was given back allows nothing more
    AND (e.inbox IS NULL OR l.inbox = e.inbox)
  RETURNING r.id, r.last_sequence, r.last_sequence - e.events AS base
){parts}
SELECT l.id, l.lease_token, l.lease_worker, w.last_sequence FROM locked l LEFT JOIN written w ON w.id = l.id
"""
    numbers = count(1)
    return re.sub("%s", lambda _: f"${next(numbers)}", text)


def _new_value(name: str, kind: str) -> str:
    if name == "notes":
        return "CASE WHEN e.change ? 'notes' THEN r.notes || (e.change -> 'notes') ELSE r.notes END"
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


def _part(name: str) -> str:
    return {
        "steps": lambda: _insert(STEPS),
        "attempts": lambda: _insert(ATTEMPTS),
        "checkpoints": lambda: _insert(CHECKPOINTS) + " RETURNING run_id, step_name, number",
        "letters": lambda: _update(LETTERS),
        "artifacts": lambda: _insert(ARTIFACTS),
        "states": lambda: _insert(STATES),
        "spendings": lambda: _add(SPENDINGS),
        "events": lambda: _insert(EVENTS),
        "pruned": lambda: _PRUNE,
        "forgotten": lambda: _FORGET,
    }[name]()


_PRUNE = """
  DELETE FROM runs_checkpoint c USING checkpoints n
  WHERE c.run_id = n.run_id AND c.step_name = n.step_name AND c.number <= n.number - %s::int"""
_FORGET = """
  DELETE FROM runs_checkpoint c USING unnest(%s::uuid[], %s::text[]) AS f(run_id, step_name)
  WHERE c.run_id = f.run_id AND c.step_name = f.step_name AND c.run_id IN (SELECT id FROM written)"""


def _update(table: Table) -> str:
    """Rows that exist, by their id."""
    arrays = ", ".join(f"%s::{kind}[]" for _, kind in table.columns)
    sets = ", ".join(f"{name} = i.{name}" for name in table.names if name not in ("run_id", "id"))
    return (
        f"\n  UPDATE {table.name} t SET {sets} FROM unnest({arrays}) AS i({', '.join(table.names)})"
        f"\n  JOIN written w ON w.id = i.run_id WHERE t.id = i.id AND t.run_id = i.run_id"
    )


def _add(table: Table) -> str:
    """To what the rows of the runs hold."""
    arrays = ", ".join(f"%s::{kind}[]" for _, kind in table.columns)
    sets = ", ".join(f"{name} = t.{name} + i.{name}" for name in table.names if name not in table.key)
    return (
        f"\n  UPDATE {table.name} t SET {sets} FROM unnest({arrays}) AS i({', '.join(table.names)})"
        f"\n  JOIN written w ON w.id = i.run_id WHERE t.run_id = i.run_id"
    )
