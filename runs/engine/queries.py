"""Queries: a function of the job answers from what a run has recorded; the run is neither woken nor loaded."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cache, cached_property
from typing import Any
from uuid import UUID

from django.db import connection, connections, transaction

from runs.conf import get_settings
from runs.definitions import registry
from runs.engine.payload import clean, encode, redact
from runs.engine.store import rows
from runs.errors import HandlerTimeout, HistoryPruned, QueryFailed, RunsError
from runs.events.log import read_events
from runs.models import Run, State, Step

_THREADS = 16


@dataclass(frozen=True, slots=True)
class StepView:
    """A recorded step; `output` is JSON with secrets masked."""

    name: str
    kind: str
    status: str
    attempts: int
    output: Any
    error: dict[str, Any] | None
    started_at: datetime | None
    finished_at: datetime | None


class RunView:
    """A run as its queries and validators see it: what is recorded, secrets masked, read when it is asked for.

    Of a run whose history was cleaned up `state`, `steps` and `history` raise HistoryPruned; the rest stays.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self.id: UUID = run.id
        self.job, self.version = run.job, run.job_version
        self.status, self.reason = run.status, run.reason
        self.labels: dict[str, str] = dict(run.labels)
        self.input = redact(run.input, run.secrets.get("input", []))
        self.output = redact(run.output, run.secrets.get("output", []))
        self.error, self.progress = run.error, run.progress
        self.last_sequence = run.last_sequence
        self.created_at, self.started_at, self.finished_at = run.created_at, run.started_at, run.finished_at

    @property
    def has_ended(self) -> bool:
        return self._run.has_ended

    @cached_property
    def state(self) -> dict[str, Any]:
        """The run's document; empty until the job sets it."""
        self._check_held()
        found = State.objects.filter(run=self._run).first()
        return dict(found.value) if found else {}

    @cached_property
    def steps(self) -> dict[str, StepView]:
        """The steps by name, in the order of their first record."""
        self._check_held()
        return {step.name: view_of(step) for step in Step.objects.filter(run=self._run).order_by("id")}

    def history(self, after: int = 0, limit: int = 1000) -> list[dict[str, Any]]:
        """Up to `limit` events with a sequence above `after`, as envelopes."""
        self._check_held()
        return [event.as_envelope() for event in read_events(self.id, after, limit)]

    def _check_held(self) -> None:
        if self._run.first_sequence > 1:
            raise HistoryPruned(self.id, self._run.first_sequence, "asked about its history")


def query(run_id: UUID | str, name: str, arguments: Any = None) -> Any:
    """What the handler `name` of the run's job says, as JSON with secrets masked; the run is not woken.

    Raises RunNotFound, JobNotFound, HandlerNotFound, InvalidArguments, QueryFailed, HandlerTimeout, HistoryPruned.
    """
    run = rows.get(run_id)
    handler = registry.get(run.job, run.job_version).queries.find(name)
    given = handler.parse(arguments)

    def answer() -> Any:
        return encode(handler.function(RunView(run), *given), f"The answer of {handler.what}").shown

    try:
        return call_aside(handler.what, answer)
    except (HandlerTimeout, HistoryPruned):
        raise
    except Exception as exc:
        problem = str(exc).rstrip(".") if isinstance(exc, RunsError) else f"{type(exc).__name__}: {exc}".rstrip(": .")
        raise QueryFailed(name, clean(problem, 500)) from exc


def call_aside(what: str, function: Callable[[], Any]) -> Any:
    """Call in a thread that can only read the database. Raises HandlerTimeout, and what the function raises."""
    seconds = get_settings().query_seconds
    future = _threads().submit(_call_reading, function)
    try:
        return future.result(timeout=seconds)
    except TimeoutError:
        if future.done():
            raise  # the function's own
        future.cancel()
        raise HandlerTimeout(what, seconds) from None


@cache
def _threads() -> ThreadPoolExecutor:
    # bounded: a handler that never returns costs a thread of these, and no request is answered by one
    return ThreadPoolExecutor(_THREADS, thread_name_prefix="runs-query")


def _call_reading(function: Callable[[], Any]) -> Any:
    try:
        with _read_only():
            return function()
    finally:
        connections.close_all()


@contextmanager
def _read_only() -> Iterator[None]:
    if connection.vendor == "sqlite":
        # without a transaction: SQLite's would take the write lock, as the settings make them
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA query_only = ON")
        yield
        return
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION READ ONLY")
            cursor.execute(f"SET LOCAL statement_timeout = {int(get_settings().query_seconds * 1000)}")
        yield


def view_of(step: Step) -> StepView:
    """As queries see it."""
    return StepView(
        step.name, step.kind, step.status, step.attempts, redact(step.output, step.secrets), step.error,
        step.started_at, step.finished_at,
    )  # fmt: skip
