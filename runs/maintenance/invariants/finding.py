"""Asking for violations: all of them for the command, a few with a limit of time for a page."""

import contextlib
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from django.db import OperationalError, connection, transaction
from django.db.models import QuerySet

from runs import clock
from runs.maintenance.invariants.registry import INVARIANTS, Invariant, Violation

PAGE_SECONDS: Final = 20.0
"""So long a page looks in all: a server in front gives up after a minute."""

SHOWN: Final = 20
_EARLY_SECONDS: Final = 0.1
_SQLITE_STEPS: Final = 50_000
"""Instructions of SQLite's machine between two looks at the clock: about a millisecond."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a page shows of one invariant. Not `in_time`: it was given up; `more` than are shown."""

    invariant: Invariant
    violations: tuple[Violation, ...] = ()
    in_time: bool = True
    more: bool = False

    @property
    def state(self) -> str:
        if not self.in_time:
            return "unknown"
        return "violated" if self.violations else "holds"


@dataclass(frozen=True, slots=True)
class Looked:
    """All of them, and how many are violated or were given up."""

    found: tuple[Found, ...]
    seconds: float

    @property
    def worst_first(self) -> list[Found]:
        """As people want to read them."""
        return sorted(self.found, key=lambda one: ("violated", "unknown", "holds").index(one.state))

    @property
    def violated(self) -> int:
        return sum(one.state == "violated" for one in self.found)

    @property
    def unknown(self) -> int:
        return sum(one.state == "unknown" for one in self.found)


def find_violations() -> Iterator[Violation]:
    """Every violation of every invariant. Each statement sees what was committed together, or none of it."""
    for invariant in INVARIANTS.values():
        for row in invariant.query(None):
            yield Violation.of(invariant.name, row)


def look(seconds: float = PAGE_SECONDS) -> Looked:
    """The first violations of each invariant, in `seconds` together and a quarter of that each; what takes longer is
    given up, and said so."""
    began_at = clock.monotonic()
    found = tuple(_look_at(one, began_at + seconds, seconds / 4) for one in INVARIANTS.values())
    return Looked(found, clock.monotonic() - began_at)


def _look_at(invariant: Invariant, ends_at: float, each: float) -> Found:
    ends_at = min(ends_at, clock.monotonic() + each)
    left = ends_at - clock.monotonic()
    if left <= 0:
        return Found(invariant, in_time=False)
    try:
        with _limited(left), connection.execute_wrapper(_until(ends_at)):
            rows = invariant.query(None)
            some = rows[: SHOWN + 1] if isinstance(rows, QuerySet) else itertools.islice(rows, SHOWN + 1)
            violations = [Violation.of(invariant.name, row) for row in some]
    except OperationalError:
        if clock.monotonic() < ends_at - _EARLY_SECONDS:
            raise  # the database has another trouble than its slowness
        return Found(invariant, in_time=False)
    return Found(invariant, tuple(violations[:SHOWN]), more=len(violations) > SHOWN)


def _until(ends_at: float) -> Callable[..., Any]:
    """Some invariants ask many statements, none of which takes long."""

    def ask(execute: Callable[..., Any], *asked: Any) -> Any:
        if clock.monotonic() >= ends_at:
            raise OperationalError("It takes too long.")
        return execute(*asked)

    return ask


@contextlib.contextmanager
def _limited(seconds: float) -> Iterator[None]:
    """Inside, a statement that takes longer raises OperationalError."""
    if connection.vendor == "postgresql":
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT set_config('statement_timeout', %s, true)", [str(max(1, int(seconds * 1000)))])
            yield
        return
    connection.ensure_connection()  # no transaction: it would keep all writers out
    ends_at = clock.monotonic() + seconds
    connection.connection.set_progress_handler(lambda: clock.monotonic() >= ends_at, _SQLITE_STEPS)
    try:
        yield
    finally:
        connection.connection.set_progress_handler(None, 0)
