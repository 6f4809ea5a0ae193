"""SQLite: a batch is one BEGIN IMMEDIATE transaction; it has neither data-modifying CTEs nor unnest."""

import json
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from runs import clock
from runs.conf import get_settings
from runs.engine.store.tables import ARTIFACTS, ATTEMPTS, CHECKPOINTS, EVENTS, STATES, STEPS, Table
from runs.engine.store.transitions import Change, Entry, Result, Written

_RELEASE = (
    "lease_worker = NULL, "
    "active_ms = active_ms + MAX(0, CAST((julianday(%s) - julianday(claimed_at)) * 86400000 AS INTEGER))"
)
_ENDED = (
    "end_hook = CASE WHEN end_hook = 'armed' THEN 'due' ELSE end_hook END, "
    "tell_parent = CASE WHEN parent_id IS NULL THEN tell_parent ELSE 1 END"
)


def commit(entries: list[Entry]) -> dict[UUID, Written]:
    """Commit the batch; the result of each run. Raises what the database raises, with nothing done."""
    with transaction.atomic(), connection.cursor() as cursor:
        return {entry.run_id: _write(cursor, entry) for entry in entries}


def _write(cursor: Any, entry: Entry) -> Written:
    events = entry.event_rows()
    base = _update_run(cursor, entry, len(events))
    if base is None:
        return Written(_why_not(cursor, entry))
    _insert(cursor, STEPS, entry.step_rows())
    _insert(cursor, ATTEMPTS, entry.attempt_rows())
    _insert(cursor, CHECKPOINTS, entry.checkpoint_rows())
    _insert(cursor, ARTIFACTS, entry.artifact_rows())
    _insert(cursor, STATES, entry.state_rows())
    _update_letters(cursor, entry)
    _add_spending(cursor, entry)
    _insert(cursor, EVENTS, [event._replace(sequence=base + event.sequence) for event in events])
    _prune_checkpoints(cursor, entry)
    return Written(Result.DONE, base + len(events))


def _update_run(cursor: Any, entry: Entry, events: int) -> int | None:
    """The run's last sequence before this entry, or None if the fence or the condition held it back."""
    change = entry.change
    sets, values = ["write_no = %s", "last_sequence = last_sequence + %s"], [entry.write_no, events]
    _add_changes(change, sets, values)
    # a lease that was given back allows nothing more
    where = "id = %s AND lease_token = %s AND write_no = %s AND lease_worker IS NOT NULL"
    expected: list[Any] = [entry.run_id, entry.token, entry.write_no - 1]
    if change.expect_inbox is not None:
        where, expected = f"{where} AND inbox = %s", [*expected, change.expect_inbox]
    statement = f"UPDATE runs_run SET {', '.join(sets)} WHERE {where} RETURNING last_sequence"
    cursor.execute(statement, [_adapt(value) for value in [*values, *expected]])
    row = cursor.fetchone()
    return None if row is None else row[0] - events


def _add_changes(change: Change, sets: list[str], values: list[Any]) -> None:
    for name, value in change.values.items():
        sets.append(f"{name} = %s")
        values.append(value)
    if change.notes:
        sets.append("notes = json_patch(notes, %s)")
        values.append(json.dumps(change.notes))
    if change.values.get("status") in ("completed", "cancelled", "failed"):
        sets.append(_ENDED)
    if change.release:
        sets.append(_RELEASE)
        values.append(clock.now())


def _why_not(cursor: Any, entry: Entry) -> Result:
    cursor.execute(
        "SELECT lease_token, write_no FROM runs_run WHERE id = %s AND lease_worker IS NOT NULL", [entry.run_id.hex]
    )
    fence = (entry.token, entry.write_no - 1)
    return Result.INBOX if cursor.fetchone() == fence else Result.LOST


def _insert(cursor: Any, table: Table, rows: list[Any]) -> None:
    if not rows:
        return
    places = ", ".join(["%s"] * len(table.columns))
    statement = f"INSERT INTO {table.name} ({', '.join(table.names)}) VALUES ({places}) {table.on_conflict}"
    cursor.executemany(statement, [[_adapt(value) for value in row] for row in rows])


def _update_letters(cursor: Any, entry: Entry) -> None:
    rows = [
        [_adapt(row.consumed_at), row.consumed_by, row.result, row.error, row.effect, row.id, entry.run_id.hex]
        for row in entry.letter_rows()
    ]
    cursor.executemany(
        "UPDATE runs_signal SET consumed_at = %s, consumed_by = %s, result = %s, error = %s, effect = %s "
        "WHERE id = %s AND run_id = %s",
        rows,
    )


def _add_spending(cursor: Any, entry: Entry) -> None:
    cursor.executemany(
        "UPDATE runs_spending SET tokens = tokens + %s, cost = cost + %s, steps = steps + %s WHERE run_id = %s",
        [[row.tokens, row.cost, row.steps, row.run_id.hex] for row in entry.spending_rows()],
    )


def _prune_checkpoints(cursor: Any, entry: Entry) -> None:
    kept = get_settings().checkpoints_kept
    of_step = "DELETE FROM runs_checkpoint WHERE run_id = %s AND step_name = %s"
    for row in entry.checkpoint_rows():
        cursor.execute(f"{of_step} AND number <= %s", [entry.run_id.hex, row.step_name, row.number - kept])
    for step in entry.forgotten_steps():
        cursor.execute(of_step, [entry.run_id.hex, step])


def _adapt(value: Any) -> Any:
    if isinstance(value, UUID):
        return value.hex
    if isinstance(value, datetime):
        return connection.ops.adapt_datetimefield_value(value)
    return value
