"""The rows of new runs, each with its first event and, where somebody asked for it, its audit row."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from django.db import connection

from runs.engine.payload import clean
from runs.engine.store.prepared import fetch_often
from runs.engine.store.rows import Actor
from runs.events.types import EventType
from runs.models import Audit, Event, Run

_ROWS_AT_ONCE = 1_000
_BYTES_AT_ONCE = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class NewRow:
    """A run that is to be inserted; `data` is that of its `run:queued`, `size` the bytes of its input."""

    run: Run
    data: dict[str, Any]
    size: int
    started_by: Actor | None = None


def insert(rows: Iterable[NewRow]) -> set[UUID]:
    """Insert the runs; the ids of those that are new.

    Others have an id or an idempotency key that is taken. Inside a transaction, unless it is one run: on PostgreSQL
    that one is one statement. Keys go in order, so that two who insert the same ones do not wait for each other.
    """
    ordered = sorted(rows, key=lambda row: row.run.idempotency_key or "")
    for row in ordered:
        row.run.last_sequence = 1
    put = _in_one_statement if connection.vendor == "postgresql" else _table_by_table
    return {run_id for some in _chunks(ordered) for run_id in put(some)}


def _chunks(rows: list[NewRow]) -> Iterator[list[NewRow]]:
    chunk: list[NewRow] = []
    size = 0
    for row in rows:
        if chunk and (len(chunk) == _ROWS_AT_ONCE or size + row.size > _BYTES_AT_ONCE):
            yield chunk
            chunk, size = [], 0
        chunk.append(row)
        size += row.size
    if chunk:
        yield chunk


def _table_by_table(rows: list[NewRow]) -> set[UUID]:
    made = _new_ones([row.run for row in rows])
    new = [row for row in rows if row.run.id in made]
    Event.objects.bulk_create(
        Event(run_id=row.run.id, sequence=1, type=EventType.RUN_QUEUED.value, data=row.data,
              created_at=row.run.created_at)
        for row in new
    )  # fmt: skip
    Audit.objects.bulk_create(
        Audit(at=row.run.created_at, action="run.start", target=str(row.run.id), data={"job": row.run.job},
              **_who(row.started_by))
        for row in new if row.started_by is not None
    )  # fmt: skip
    return made


def _new_ones(runs: list[Run]) -> set[UUID]:
    ids = {run.id for run in runs}
    if not any(run.idempotency_key or run.parent_id for run in runs):
        Run.objects.bulk_create(runs)
        return ids
    here = Run.objects.filter(id__in=ids).values_list("id", flat=True)
    before = set(here)
    Run.objects.bulk_create(runs, ignore_conflicts=True)
    return set(here.all()) - before


def _who(actor: Actor) -> dict[str, str]:
    return {
        "actor_kind": actor.kind, "actor_id": actor.id, "actor_name": clean(actor.name, 200), "address": actor.address,
    }  # fmt: skip


def _in_one_statement(rows: list[NewRow]) -> set[UUID]:
    """One parameter holds them all as JSON: many times cheaper to send and to read than one for each value."""
    given = [row.run.__dict__ for row in rows]
    fields = [field for field in _fields() if any(run[field.attname] != field.default for run in given)]
    values = [_as_json(row, fields) for row in rows]
    made = fetch_often(_statement(tuple(field.column for field in fields)), [_encode(values)])
    for row in rows:
        row.run._state.adding, row.run._state.db = False, connection.alias
    return {found[0] for found in made}


class _Field(NamedTuple):
    """A column of runs; `default` is what it holds unless it is given, or what equals no value."""

    attname: str
    column: str
    kind: str
    default: Any
    literal: str


@cache
def _fields() -> tuple[_Field, ...]:
    connection.ensure_connection()
    return tuple(_field(field) for field in Run._meta.concrete_fields)


def _field(field: Any) -> _Field:
    is_given = field.primary_key or not (field.has_default() or field.null)
    default = object() if is_given else field.get_default()
    # not by a cursor's mogrify: one that binds on the server's side has none
    saved = None if is_given else field.get_db_prep_save(default, connection)
    literal = connection.ops.compose_sql("%s", [saved])  # type: ignore[attr-defined]  # only PostgreSQL has it
    return _Field(field.attname, field.column, field.db_type(connection), default, literal.replace("%", "%%"))


def _as_json(row: NewRow, fields: list[_Field]) -> dict[str, Any]:
    run = row.run.__dict__
    values = {field.column: run[field.attname] for field in fields}
    values["event_data"] = row.data
    values["started_by"] = _who(row.started_by) if row.started_by is not None else None
    return values


def _encode(values: list[dict[str, Any]]) -> str:
    """JSON of what was checked before: in it NaN, which orjson writes as null, is not."""
    try:
        return orjson.dumps(values).decode()
    except TypeError:  # an integer of more than 64 bits
        return json.dumps(values, default=str)


@cache
def _statement(columns: tuple[str, ...]) -> str:
    """The SQL for runs that differ in these columns; the others' values stand in it."""
    others = [field for field in _fields() if field.column not in columns]
    kinds = ", ".join(f"{field.column} {field.kind}" for field in _fields() if field.column in columns)
    names = ", ".join([*columns, *(field.column for field in others)])
    values = ", ".join([*(f"g.{name}" for name in columns), *(f"{field.literal}::{field.kind}" for field in others)])
    return f"""
WITH given AS MATERIALIZED (
  SELECT * FROM jsonb_to_recordset(%s::jsonb) AS g({kinds}, event_data jsonb, started_by jsonb)
), made AS (
  INSERT INTO runs_run ({names}) SELECT {values} FROM given g ON CONFLICT DO NOTHING RETURNING id
), noted AS (
  INSERT INTO runs_event (run_id, sequence, type, data, created_at)
  SELECT g.id, 1, '{EventType.RUN_QUEUED.value}', g.event_data, g.created_at FROM given g JOIN made USING (id)
), audited AS (
  INSERT INTO runs_audit (at, actor_kind, actor_id, actor_name, address, action, target, data)
  SELECT g.created_at, a.actor_kind, a.actor_id, a.actor_name, a.address, 'run.start', g.id::text,
    jsonb_build_object('job', g.job)
  FROM given g JOIN made USING (id)
  CROSS JOIN LATERAL jsonb_to_record(g.started_by)
    AS a(actor_kind text, actor_id text, actor_name text, address text)
  WHERE g.started_by IS NOT NULL
)
SELECT id FROM made
"""
