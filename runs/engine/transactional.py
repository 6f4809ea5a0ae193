"""`step.transaction`: the function's ORM writes and the step's record are one commit, fence last."""

import time
from collections.abc import Callable
from typing import Any

from django.db import InterfaceError, OperationalError, close_old_connections, connection, transaction

from runs.engine.payload import Payload
from runs.engine.store.commit import Commit, committed
from runs.engine.store.transitions import Entry, Result, Transition
from runs.engine.writer import Handle
from runs.errors import Suspended

LOCK_SECONDS = 2.0
_PAUSE_SECONDS = 0.01
_TRIES = 5


class _RowBusy(Exception):
    """Somebody held the run's row for LOCK_SECONDS: nothing is kept, and the function is called again."""


Function = Callable[[], tuple[Any, Payload]]
Ending = Callable[[Payload], Transition]


def call_and_record(handle: Handle, function: Function, ending: Ending, commit: Commit) -> Any:
    """Call `function`, which gives `(value, payload)`, and commit it with `ending(payload)`; the value. In a thread.

    The caller holds the run's writer (`handle.held`). Raises Suspended when the lease is lost, and what the
    function raises; then nothing of it is written.
    """
    try:
        for _ in range(_TRIES - 1):
            try:
                return _once(handle, function, ending, commit)
            except _RowBusy:
                continue
        return _once(handle, function, ending, commit)
    finally:
        close_old_connections()


def _once(handle: Handle, function: Function, ending: Ending, commit: Commit) -> Any:
    entry: Entry | None = None
    try:
        with transaction.atomic(durable=True):
            value, payload = function()
            entry = Entry(handle.run_id, handle.token, handle.write_no + 1, [ending(payload)])
            _write_last(entry, commit)
    except (OperationalError, InterfaceError):
        connection.close()
        if entry is None or handle.run_id not in committed([entry]):
            raise
    handle.write_no += 1
    return value


def _write_last(entry: Entry, commit: Commit) -> None:
    """The fence comes last: a run that was lost meanwhile takes the function's writes back with it."""
    deadline = time.monotonic() + LOCK_SECONDS
    while (result := commit([entry])[entry.run_id].result) is Result.BUSY:
        if time.monotonic() > deadline:
            raise _RowBusy
        time.sleep(_PAUSE_SECONDS)
    if result is not Result.DONE:
        raise Suspended
