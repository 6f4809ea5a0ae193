"""Workers that die at a step: from the database's side a death is that nothing more is written."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from django.db import transaction

from runs.engine.store.commit import commit
from runs.engine.store.transitions import Entry, StepRow, Written
from runs.errors import Suspended
from runs.models import Run, Step, StepStatus

_SETTLED = tuple(
    status.value for status in (StepStatus.COMPLETED, StepStatus.FAILED, StepStatus.CANCELLED, StepStatus.SKIPPED)
)


class WorkerDied(Suspended):
    """Ends the writer of a drained worker; to the job's code its lease is lost."""


class NobodyDied(AssertionError):
    """A `crash_after` whose step no worker came to."""


class Crash:
    """A death that waits for its step; it happens once."""

    def __init__(self, step: str, run_id: UUID | None, before_record: bool) -> None:
        self.step, self.before_record = step, before_record
        self._run_id = run_id
        self.happened = False

    def strikes(self, entries: list[Entry]) -> bool:
        """Whether this batch records the step."""
        return not self.happened and any(self._is_it(row) for entry in entries for row in entry.step_rows())

    def _is_it(self, row: StepRow) -> bool:
        return row.name == self.step and row.status in _SETTLED and self._run_id in (None, row.run_id)


_armed: list[Crash] = []


@contextmanager
def crash_after(step: str, *, run: Run | UUID | None = None, before_record: bool = False) -> Iterator[None]:
    """Inside, the worker of a `drain()` dies as soon as the step is recorded, and with it the drain ends.

    The next `drain()` goes on as another worker would. With `before_record` it dies when the step's function has
    returned and its result is not written yet: the function will be called again. `run` says whose step, where runs
    of several jobs have one of that name. Raises NobodyDied at the end if no worker came to the step.
    """
    crash = Crash(step, run.id if isinstance(run, Run) else run, before_record)
    _armed.append(crash)
    try:
        yield
    finally:
        _armed.remove(crash)
    if not crash.happened:
        known = sorted(set(Step.objects.values_list("name", flat=True)))
        raise NobodyDied(f"No drain() recorded step {step!r}, so no worker died. Steps recorded: {known}.")


class MortalCommit:
    """How the worker of one drain writes: not at all once it is dead."""

    def __init__(self) -> None:
        self.is_dead = False

    def __call__(self, entries: list[Entry]) -> dict[UUID, Written]:
        """From the writer's thread and from those of transactional steps."""
        if self.is_dead:
            raise WorkerDied
        crash = next((one for one in _armed if one.strikes(entries)), None)
        if crash is not None and crash.before_record:
            self._die(crash)
        written = commit(entries)
        if crash is not None:
            # a transactional step's function is in the same transaction: with its commit, not before
            transaction.on_commit(lambda: self._die(crash))
        return written

    def _die(self, crash: Crash) -> None:
        crash.happened = self.is_dead = True
        raise WorkerDied

    @contextmanager
    def silenced(self) -> Iterator[None]:
        """A death that was asked for is no news for the log."""
        logger = logging.getLogger("runs.writer")
        logger.addFilter(_was_not_asked_for)
        try:
            yield
        finally:
            logger.removeFilter(_was_not_asked_for)


def _was_not_asked_for(record: logging.LogRecord) -> bool:
    return not (record.exc_info and isinstance(record.exc_info[1], WorkerDied))
