"""Time that passes when the test says so, and what happens to a run meanwhile."""

from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db.models import Min

from runs import clock, jobs
from runs.models import Run, RunStatus
from runs.testing.drain import drain

_LATER = (RunStatus.QUEUED, RunStatus.WAITING)


def freeze() -> AbstractContextManager[None]:
    """Time stands still inside, for this process and its database queries; only `advance()` moves it.

    Afterwards the clock goes as before. A run that waits for a time waits until it is moved.
    """
    return clock.still()


def advance(by: timedelta) -> None:
    """Move the clocks of this process and of its database queries forward, until the end of `freeze()`."""
    clock.move(by)


def signal(run: Run | UUID | str, name: str, payload: Any = None, *, idempotency_key: str | None = None) -> jobs.Sent:
    """Send a signal, as `runs.jobs.signal`; the next `drain()` lets the run take it."""
    return jobs.signal(_id(run), name, payload, idempotency_key=idempotency_key)


def run_to_end(run: Run | UUID | str, *, timeout: timedelta = timedelta(seconds=30)) -> Run:
    """Drain, moving the clock to whatever is due next, until the run has ended; the run as it is then.

    A worker that dies meanwhile is followed by another one.

    Raises AssertionError where it waits for what only a test or a person can give, TimeoutError after `timeout` of
    real time.
    """
    deadline = clock.monotonic() + timeout.total_seconds()
    while True:
        drain(timeout=timedelta(seconds=max(0.0, deadline - clock.monotonic())))
        found = jobs.get(_id(run))
        if found.has_ended:
            return found
        if Run.objects.filter(status=RunStatus.RUNNING).exists():
            continue  # a worker died, as `crash_after` wants it: the next one takes over
        due = Run.objects.filter(status__in=_LATER, due_at__gt=clock.now()).aggregate(at=Min("due_at"))["at"]
        if due is None:
            raise AssertionError(
                f"Run {found.id} is {found.status} ({found.reason or 'no reason given'}) and nothing is due any more. "
                "Send what it waits for before run_to_end()."
            )
        advance(due - clock.now())


def _id(run: Run | UUID | str) -> UUID | str:
    return run.id if isinstance(run, Run) else run
