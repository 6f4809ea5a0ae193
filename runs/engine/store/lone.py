"""PostgreSQL: the end of one step of one run, the commonest write of all, when no other is ready to share its commit.

The statement of a batch joins and unnests what here are single values; a function in the database (its migration has
the text) takes less than half of that time.
"""

from typing import Any

import psycopg

from runs.engine.store.prepared import answer, execute, has_answered, is_prepared, push, send
from runs.engine.store.transitions import UNCHANGED, Entry, Result, Transition, Written
from runs.events.types import EventType

__all__ = ["answered", "can_send", "commit", "has_answered", "is_plain", "push", "send_entry"]

_VALUES = (
    "uuid", "bigint", "bigint", "timestamptz", "text", "text", "text", "int", "text", "int", "int", "jsonb", "jsonb",
    "jsonb", "timestamptz", "timestamptz", "timestamptz", "int", "jsonb", "text", "jsonb",
)  # fmt: skip
_STATEMENT = f"SELECT runs_write_step_1({', '.join(f'${n}::{kind}' for n, kind in enumerate(_VALUES, 1))})"


def commit(entry: Entry) -> Written | None:
    """Write the entry, if it is the end of a step and no more. None: nothing was written, for whatever reason."""
    if len(entry.transitions) != 1 or not is_plain(entry.transitions[0]):
        return None
    return _written(execute(_STATEMENT, _parameters(entry)))


def can_send(link: "psycopg.Connection[Any] | None") -> bool:
    """Whether an entry can be sent on the connection: after the first one was written on it."""
    return link is not None and is_prepared(link, _STATEMENT)


def send_entry(link: "psycopg.Connection[Any]", entry: Entry) -> None:
    """Send a plain entry without waiting for what becomes of it. Raises psycopg's errors."""
    send(link, _STATEMENT, _parameters(entry))


def answered(link: "psycopg.Connection[Any]") -> Written | None:
    """What became of the entry that was sent, as `commit` says it. Raises psycopg's errors."""
    return _written(answer(link))


def is_plain(transition: Transition) -> bool:
    """Whether it is the end of one step and no more."""
    if transition.change is not UNCHANGED or not transition.records_step:
        return False
    plain = Transition(transition.at, events=transition.events, steps=transition.steps, size=transition.size)
    return transition == plain and _are_of_one_step(transition)


def _written(rows: list[tuple[str | None, ...]]) -> Written | None:
    last_sequence = rows[0][0]
    return None if last_sequence is None else Written(Result.DONE, int(last_sequence))


def _are_of_one_step(transition: Transition) -> bool:
    events, steps = transition.events, transition.steps
    if len(steps) != 1 or len(events) not in (1, 2):
        return False
    if len(events) == 2 and (events[0].type is not EventType.STEP_START or events[0].attempt != events[1].attempt):
        return False
    return all(event.step == steps[0].name for event in events)


def _parameters(entry: Entry) -> list[str | None]:
    step, events = entry.transitions[0].steps[0], entry.event_rows()
    end = events[-1]
    started, finished, wake = (None if at is None else at.isoformat() for at in step[-3:])
    return [
        entry.run_id.hex, str(entry.token), str(entry.write_no), end.created_at.isoformat(),
        step.name, step.kind, step.branch, str(step.position), step.status, str(step.attempts), str(step.failures),
        step.output, step.secrets, step.error, started, finished, wake,
        None if end.attempt is None else str(end.attempt), events[0].data if len(events) > 1 else None,
        end.type, end.data,
    ]  # fmt: skip
