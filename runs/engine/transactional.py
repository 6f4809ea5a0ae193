"""`step.transaction`: the function's ORM writes and the step's record are one commit, fence last."""

import logging
import time
from collections.abc import Callable
from typing import Any

from django.db import DatabaseError, InterfaceError, OperationalError, close_old_connections, connection, transaction

from runs.engine.batches import Handle
from runs.engine.payload import Payload
from runs.engine.store.commit import Commit, Fault, classify
from runs.engine.store.transitions import Entry, Result, Transition
from runs.errors import Suspended
from runs.models import Run

logger = logging.getLogger("runs.engine")

LOCK_SECONDS = 2.0
_PAUSE_SECONDS = 0.01
_LONGEST_PAUSE = 1.0
_LATE_SECONDS = 0.05
_TRIES = 5
_OUTAGE_SECONDS = 60.0


class _RowBusy(Exception):
    """Somebody held the run's row for LOCK_SECONDS: nothing is kept, and the function is called again."""


class _Interrupted(Exception):
    """The database went away, and nothing is kept: that is no failure of the function, which is called again."""


class _Late(Exception):
    """The look at the lease was answered after its end: what it said may be long past."""


Function = Callable[[], tuple[Any, Payload]]
Ending = Callable[[Payload], Transition]


def call_and_record(
    handle: Handle, function: Function, ending: Ending, commit: Commit, holds_lease: Callable[[], bool]
) -> Any:
    """Call `function`, which gives `(value, payload)`, and commit it with `ending(payload)`; the value. In a thread.

    The caller holds the run's writer (`handle.held`). An outage of the database is sat out. Raises Suspended when the
    lease is lost, and what the function raises; then nothing of it is written.
    """
    began = time.monotonic()
    busy = interrupted = 0
    try:
        while True:
            try:
                return _once(handle, function, ending, commit, holds_lease)
            except _Late:
                time.sleep(_LATE_SECONDS)
            except _RowBusy:
                busy += 1
                if busy == _TRIES:
                    raise
            except _Interrupted as exc:
                interrupted += 1
                if interrupted >= _TRIES and time.monotonic() - began > _OUTAGE_SECONDS:
                    raise exc.__cause__ or exc from None  # it may be the function itself that ends its connection
                _sit_out(handle)
    finally:
        close_old_connections()


def _once(handle: Handle, function: Function, ending: Ending, commit: Commit, holds_lease: Callable[[], bool]) -> Any:
    entry: Entry | None = None
    link: Any = None
    try:
        with transaction.atomic(durable=True):
            link = connection.connection
            _check_lease(handle)
            if not holds_lease():
                raise _Late
            value, payload = function()
            entry = Entry(handle.run_id, handle.token, handle.write_no + 1, [ending(payload)])
            _write_last(entry, commit)
    except (OperationalError, InterfaceError) as exc:
        if not (_is_cut(link) if entry is None else classify(exc) is Fault.REPEAT):
            raise
        if entry is None or not _was_committed(entry):
            raise _Interrupted from exc
    handle.write_no += 1
    return value


def _check_lease(handle: Handle) -> None:
    """Who waited long for the lock of SQLite's file may find that another has done it: the fence comes too late for
    what the function does elsewhere."""
    if not Run.objects.filter(pk=handle.run_id, lease_token=handle.token).exists():
        raise Suspended


def _write_last(entry: Entry, commit: Commit) -> None:
    """The fence comes last: a run that was lost meanwhile takes the function's writes back with it."""
    deadline = time.monotonic() + LOCK_SECONDS
    while (result := commit([entry])[entry.run_id].result) is Result.BUSY:
        if time.monotonic() > deadline:
            raise _RowBusy
        time.sleep(_PAUSE_SECONDS)
    if result is not Result.DONE:
        raise Suspended


def _is_cut(link: Any) -> bool:
    """Whether the transaction's connection is gone; else the function failed by itself, perhaps on another database.

    Django may have made a new one by now, when it set autocommit again.
    """
    return link is None or connection.connection is not link or not connection.is_usable()


def _was_committed(entry: Entry) -> bool:
    """What became of a commit whose answer was lost.

    The row decides, but only once it can be locked: until then the server may still be about to commit, on a
    connection that is gone for us.
    """
    wanted = entry.token, entry.write_no
    return bool(_through_outage(lambda: _fence_when_free(entry)) == wanted)


def _fence_when_free(entry: Entry) -> tuple[int, int] | None:
    while True:
        with transaction.atomic():
            rows = Run.objects.filter(pk=entry.run_id)
            free = rows.select_for_update(skip_locked=True, no_key=True).values_list("lease_token", "write_no").first()
        if free is not None or not rows.exists():
            return free
        time.sleep(_PAUSE_SECONDS)


def _sit_out(handle: Handle) -> None:
    """Until the database answers again. Raises Suspended when the run was lost meanwhile."""
    mine = Run.objects.filter(pk=handle.run_id, lease_token=handle.token, lease_worker__isnull=False)
    if not _through_outage(mine.exists):
        raise Suspended


def _through_outage(ask: Callable[[], Any]) -> Any:
    pause = _PAUSE_SECONDS
    while True:
        connection.close()
        try:
            return ask()
        except (DatabaseError, InterfaceError) as exc:
            if classify(exc) is not Fault.REPEAT:
                raise
            if pause == _LONGEST_PAUSE:
                logger.warning("A transactional step waits for the database: %s", exc)
        time.sleep(pause)
        pause = min(pause * 2, _LONGEST_PAUSE)
