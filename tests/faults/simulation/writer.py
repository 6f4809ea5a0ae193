"""The writing thread of a simulated process: the real writer's batches, each in three moments that others come between.

What it gathers, what it writes and what it tells are apart: a process can die, freeze or be asked for more in between.
"""

from collections.abc import Callable
from random import Random
from types import TracebackType
from typing import Any
from uuid import UUID

from runs.engine.store.commit import Commit
from runs.engine.store.transitions import Entry, Result, Written
from runs.engine.writer import Writer
from tests.faults.simulation.died import Died
from tests.faults.simulation.loop import Process, SimulatedLoop, context_of

Busy = Callable[[UUID], bool]


class _Rung:
    """In place of the condition that the thread waits for."""

    def __init__(self, on_notify: Callable[[], None]) -> None:
        self.notify = on_notify

    def __enter__(self) -> None:
        """One thread is all there is."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Nobody waits."""


class SimulatedWriter(Writer):
    """`busy(run_id)` says whether somebody else holds the run's row right now."""

    def __init__(
        self, loop: SimulatedLoop, process: Process, random: Random, commit: Commit, busy: Busy,
        on_commit: Callable[[dict[UUID, int]], None], on_death: Callable[[BaseException], None],
    ) -> None:  # fmt: skip
        super().__init__(on_commit, on_death, commit)
        self._loop, self._process, self._random, self._busy = loop, process, random, busy
        self._condition = _Rung(self._rung)  # type: ignore[assignment]
        self._at_work = False

    def start(self) -> None:
        """It writes whenever there is something."""

    def stop(self) -> None:
        """See `is_idle`."""

    @property
    def is_idle(self) -> bool:
        return not self._at_work and not self._ready

    def _rung(self) -> None:
        if not self._at_work:
            self._at_work = True
            self._later(self._random.choice((0.0, 0.0, 0.0003, 0.004)), self._pick)

    def _later(self, seconds: float, function: Callable[..., None], *args: Any) -> None:
        self._loop.call_later(seconds, self._guarded, function, *args, context=context_of(self._process))

    def _guarded(self, function: Callable[..., None], *args: Any) -> None:
        try:
            function(*args)
        except Died:
            return
        except BaseException as exc:
            self._on_death(exc)

    def _pick(self) -> None:
        batch = self._gather(self._loop.time())
        if batch:
            self._later(self._random.choice((0.0, 0.0005, 0.003)), self._write, batch)
        elif (pause := self._next_wait()) is not None:
            self._later(pause, self._pick)
        else:
            self._at_work = False

    def _write(self, batch: Any) -> None:
        entries = [entry for *_, entry in batch]
        free = [entry for entry in entries if not self._busy(entry.run_id)]
        try:
            written = self._commit_free(entries, free)
        except Exception as exc:
            self._later(0.0005, self._tell, self._recover, batch, exc)
        else:
            self._later(self._random.choice((0.0, 0.0005, 0.003)), self._tell, self._settle, batch, written)

    def _commit_free(self, entries: list[Entry], free: list[Entry]) -> dict[UUID, Written]:
        busy = {entry.run_id: Written(Result.BUSY) for entry in entries}
        return busy | (self.commit(free) if free else {})

    def _tell(self, tell: Callable[..., None], *args: Any) -> None:
        tell(*args)
        self._later(0.0, self._pick)
