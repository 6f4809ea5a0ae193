"""PostgreSQL: a signal or an update is sent with one statement."""

import json
from typing import Any
from uuid import UUID

from django.db import connection

from runs import clock
from runs.engine.payload import Payload
from runs.engine.store.prepared import fetch_often
from runs.events.types import EventType
from runs.models import ENDED, Signal, SignalKind

EVENTS = {SignalKind.SIGNAL: EventType.SIGNAL_RECEIVE, SignalKind.UPDATE: EventType.UPDATE_ACCEPT}
"""What the log says of a message that has come."""


def send_at_once(
    run_id: UUID, kind: SignalKind, name: str, payload: Payload, actor: dict[str, str]
) -> tuple[str | None, Signal | None]:
    """The run's status (None: there is no such run), and what was sent, unless the run has ended.

    The statement waits for the row's lock and sees it as it is then. The inbox is raised with the message.
    """
    at, value = clock.now(), None if payload.value is None else payload.text
    parameters: dict[str, Any] = {
        "run": run_id, "kind": kind.value, "name": name, "payload": value, "actor": json.dumps(actor), "at": at,
        "event": EVENTS[kind].value, "standing": clock.standing(), "offset": clock.offset(),
    }  # fmt: skip
    rows = fetch_often(_STATEMENT, parameters)
    status, number = rows[0] if rows else (None, None)
    if number is None:
        return status, None
    signal = Signal(id=number, run_id=run_id, kind=kind, name=name, payload=payload.value, actor=actor, created_at=at)
    signal._state.adding, signal._state.db = False, connection.alias
    return status, signal


_STATEMENT = f"""
WITH locked AS MATERIALIZED (
  SELECT id, status FROM runs_run WHERE id = %(run)s::uuid FOR NO KEY UPDATE
), sent AS (
  INSERT INTO runs_signal (run_id, kind, name, payload, actor, created_at)
  SELECT id, %(kind)s::text, %(name)s::text, %(payload)s::jsonb, %(actor)s::jsonb, %(at)s::timestamptz FROM locked
  WHERE status NOT IN ({", ".join(f"'{status.value}'" for status in ENDED)}) RETURNING id
), woken AS (
  UPDATE runs_run r SET inbox = r.inbox + 1, last_sequence = r.last_sequence + 1,
    status = CASE WHEN r.status = 'waiting' THEN 'queued' ELSE r.status END,
    reason = CASE WHEN r.status = 'waiting' THEN '' ELSE r.reason END,
    due_at = CASE WHEN r.status = 'waiting'
      THEN COALESCE(%(standing)s::timestamptz, statement_timestamp()) + %(offset)s::interval ELSE r.due_at END
  FROM sent WHERE r.id = %(run)s::uuid RETURNING r.last_sequence
), noted AS (
  INSERT INTO runs_event (run_id, sequence, type, data, created_at)
  SELECT %(run)s::uuid, w.last_sequence, %(event)s::text,
    jsonb_build_object(%(kind)s::text, %(name)s::text, 'id', s.id, 'actor', %(actor)s::jsonb), %(at)s::timestamptz
  FROM woken w CROSS JOIN sent s
)
SELECT l.status, s.id FROM locked l LEFT JOIN sent s ON true
"""
