"""Commits a batch on whichever database is configured, and says which errors are worth another try."""

from collections.abc import Callable
from enum import Enum
from uuid import UUID

from django.db import DatabaseError, InterfaceError, OperationalError, connection

from runs.engine.store import postgresql, sqlite
from runs.engine.store.transitions import Entry, Written
from runs.models import Run

Commit = Callable[[list[Entry]], dict[UUID, Written]]


def commit(entries: list[Entry]) -> dict[UUID, Written]:
    """Commit the batch in this thread's connection; the result of each run."""
    if connection.vendor == "postgresql":
        return postgresql.commit(entries)
    return sqlite.commit(entries)


def committed(entries: list[Entry]) -> set[UUID]:
    """The runs of a batch whose commit was unknown and did happen: their `write_no` tells."""
    rows = Run.objects.filter(id__in=[entry.run_id for entry in entries]).values_list("id", "lease_token", "write_no")
    found = {run_id: (token, write_no) for run_id, token, write_no in rows}
    return {entry.run_id for entry in entries if found.get(entry.run_id) == (entry.token, entry.write_no)}


class Fault(Enum):
    REPEAT = "repeat"  # the same batch may pass in a moment: conflict, lost connection, full disk, busy file
    VALUE = "value"  # one value in the batch is bad
    FATAL = "fatal"  # nothing that this process can do


_REPEAT_CLASSES = ("08", "40", "53", "57", "58")
_REPEAT_CODES = ("25006", "55P03")
_REPEAT_WORDS = ("locked", "busy", "full", "readonly", "disk i/o", "unable to open")


def classify(exc: Exception) -> Fault:
    """What to do after `exc` (SQLSTATE classes: PostgreSQL, appendix A)."""
    state = getattr(exc.__cause__, "sqlstate", None)
    if isinstance(exc, DatabaseError | InterfaceError) and state is not None:
        if state[:2] in _REPEAT_CLASSES or state in _REPEAT_CODES:
            return Fault.REPEAT
        return Fault.VALUE if state[:2] in ("22", "23", "54") else Fault.FATAL
    if isinstance(exc, OperationalError | InterfaceError):
        lost = connection.vendor == "postgresql" or any(word in str(exc).lower() for word in _REPEAT_WORDS)
        return Fault.REPEAT if lost else Fault.FATAL
    return Fault.VALUE if isinstance(exc, DatabaseError | TypeError | ValueError | OverflowError) else Fault.FATAL
