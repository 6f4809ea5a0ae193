"""The one place where time is read. Tests move both clocks together: `now()` and the database's `SqlNow()`."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from django.conf import settings
from django.core.signals import setting_changed
from django.db.models import DateTimeField, Func

_offset = timedelta(0)
_standing: datetime | None = None
_seconds: Callable[[], float] | None = None
_BEGINNING = datetime(2030, 1, 1, tzinfo=UTC)


def offset() -> timedelta:
    """How far tests moved the clock; a file named by RUNS_CLOCK_FILE holds it for a tree of processes (seconds)."""
    path = _file()
    if not path:
        return _offset
    try:
        with open(path) as file:
            return _offset + timedelta(seconds=float(file.read() or 0))
    except FileNotFoundError:
        return _offset


@cache
def _file() -> str:
    return getattr(settings, "RUNS_CLOCK_FILE", "")  # a name that is not set costs an exception in each call


def _forget(*, setting: str, **_: object) -> None:
    if setting == "RUNS_CLOCK_FILE":
        _file.cache_clear()


setting_changed.connect(_forget)


def now() -> datetime:
    """The time in UTC, with what tests added."""
    moved, at = offset(), _set() or datetime.now(UTC)
    return at + moved if moved else at


def _set() -> datetime | None:
    """Where a test made the clocks stand still, or how far a simulation has come."""
    return _standing if _seconds is None else _BEGINNING + timedelta(seconds=_seconds())


def standing() -> datetime | None:
    """Where tests made the clocks stand still; what they added comes on top."""
    return _standing


def monotonic() -> float:
    """Seconds for measuring durations inside one process; tests do not move it."""
    return time.monotonic() if _seconds is None else _seconds()


def boot_time() -> float:
    """Seconds since the host started, those that it slept included: a lease runs out while its process is frozen."""
    if _seconds is not None:
        return _seconds()
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


def move(by: timedelta) -> None:
    """Move both clocks of this process forward (`runs.testing` calls it)."""
    global _offset
    _offset += by


@contextmanager
def still() -> Iterator[None]:
    """Both clocks of this process stand still inside, but for `move`; afterwards they go as before."""
    global _offset, _standing
    before = _offset, _standing
    _standing = _standing or datetime.now(UTC)
    try:
        yield
    finally:
        _offset, _standing = before


@contextmanager
def driven_by(seconds: Callable[[], float]) -> Iterator[None]:
    """Inside, every clock follows a simulation: `seconds()` after a moment that is always the same."""
    global _seconds
    before, _seconds = _seconds, seconds
    try:
        yield
    finally:
        _seconds = before


class SqlNow(Func):
    """The database's own clock, moved as `now()` is.

    Leases and due times are compared with one clock, because hosts disagree. SQLite lives on one host and gets
    its host's clock.
    """

    output_field = DateTimeField()

    def as_sql(self, compiler: Any, connection: Any, *args: Any, **extra: Any) -> tuple[str, tuple[Any, ...]]:
        if connection.vendor == "postgresql":
            return "(COALESCE(%s::timestamptz, statement_timestamp()) + %s::interval)", (_set(), offset())
        return "%s", (connection.ops.adapt_datetimefield_value(now()),)


def sql_now() -> SqlNow:
    """An expression for queries and updates: the time by the clock that leases live by."""
    return SqlNow()
