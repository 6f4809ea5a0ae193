"""Group commit: one thread gathers the pending transitions of all runs of a process and commits them together."""

import asyncio
import logging
import threading
import time
from collections.abc import Callable
from uuid import UUID

from django.db import connection

from runs.engine.alone import LARGEST, Alone
from runs.engine.batches import Answer, Batch, Handle, Pending, Waiter, leading, tell, weight
from runs.engine.outages import describe
from runs.engine.store.commit import Commit, Fault, classify, commit, committed
from runs.engine.store.lone import is_plain
from runs.engine.store.transitions import Entry, Result, Transition, Written

logger = logging.getLogger("runs.writer")

MAX_TRANSITIONS = 200
MAX_BYTES = 4 * 1024 * 1024
_FIRST_PAUSE, _LONGEST_PAUSE = 0.001, 0.05
_LONGEST_OUTAGE_PAUSE = 1.0


class Writer:
    """The writing thread of a driver process.

    `on_commit({run_id: last_sequence})` and `on_death(error)` are called in this thread or in the loop. A caller is
    told what the returned rows say, after their commit. `commit` is how the process's transitions reach the database,
    but for lone steps (`runs.engine.alone`).
    """

    def __init__(
        self, on_commit: Callable[[dict[UUID, int]], None], on_death: Callable[[BaseException], None],
        commit: Commit = commit,
    ) -> None:  # fmt: skip
        self.commit = commit
        self._on_commit = on_commit
        self._on_death = on_death
        self._condition = threading.Condition()
        self._ready: dict[Handle, None] = {}
        self._stopping = False
        self._outage_pause = 0.0
        self._alone = Alone(self._landed, self._returned)
        self._is_away = False  # the connection is used from the loop: the thread waits
        self._is_parked = False
        self._last_size = 0
        self._return: tuple[Batch, Exception | None] | None = None
        self._thread = threading.Thread(target=self._main, name="runs-writer", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Write what is pending, then end the thread."""
        with self._condition:
            self._stopping = True
            self._condition.notify()
        self._thread.join()

    def hold(self, handle: Handle) -> Waiter:
        """Give the run's writing away once all before is written; the future says when. End it by `release`."""
        waiter: Waiter = asyncio.get_running_loop().create_future()
        self.post(handle, None, waiter)
        return waiter

    def release(self, handle: Handle) -> None:
        """Write the run's transitions again; any thread."""
        with self._condition:
            handle.held = False
            if handle.pending:
                self._ready[handle] = None
            self._condition.notify()

    def post(self, handle: Handle, transition: Transition | None, waiter: Waiter | None = None) -> None:
        """Queue a transition behind the run's others; any thread. `waiter` gets the answer in its own loop."""
        with self._condition:
            handle.pending.append(Pending(transition, waiter))
            self._ready[handle] = None
            batch = self._gather(time.monotonic()) if self._can_go_alone(handle, waiter) else []
            if batch:
                self._is_away = True
            else:
                self._condition.notify()
        if batch:
            self._alone.send(batch)

    def _can_go_alone(self, handle: Handle, waiter: Waiter | None) -> bool:
        """Who was alone the last time probably is again. Else it waits for the thread, and others with it."""
        if waiter is None or not self._is_parked or self._is_away or self._last_size != 1 or len(self._ready) != 1:
            return False
        if handle.unsure or len(handle.pending) != 1 or self._return or self._stopping or self.commit is not commit:
            return False
        transition = handle.pending[0].transition
        is_fit = transition is not None and weight(transition) < LARGEST and is_plain(transition)
        return is_fit and self._alone.is_possible() and waiter.get_loop() is asyncio._get_running_loop()

    def _landed(self, batch: Batch, written: Written) -> None:
        try:
            self._settle(batch, {batch[0][0].run_id: written})
        except BaseException as exc:
            self._die(exc)
        self._give_back(None)

    def _returned(self, batch: Batch, error: Exception | None) -> None:
        self._give_back((batch, error))

    def _give_back(self, returned: tuple[Batch, Exception | None] | None) -> None:
        """The thread has its connection again, and what could not simply be done."""
        with self._condition:
            self._is_away, self._return = False, returned
            if returned or self._ready or self._stopping:
                self._condition.notify()

    def submit(self, handle: Handle, transition: Transition) -> Waiter:
        """Queue a transition; the future (of the running loop) gives a Result, or the error of a bad value."""
        waiter: Waiter = asyncio.get_running_loop().create_future()
        self.post(handle, transition, waiter)
        return waiter

    def _main(self) -> None:
        try:
            while self._cycle():
                pass
        except BaseException as exc:
            self._die(exc)
        finally:
            connection.close()

    def _die(self, exc: BaseException) -> None:
        logger.error("The writer died; its process ends so that others take its runs.", exc_info=exc)
        self._on_death(exc)

    def _cycle(self) -> bool:
        batch, failure = self._take()
        if batch is None:
            return False
        try:
            with connection.wrap_database_errors:
                if failure is not None:
                    raise failure
            results = self.commit([entry for _, _, entry in batch])
        except Exception as exc:
            self._recover(batch, exc)
        else:
            self._outage_pause = 0.0
            self._settle(batch, results)
        return True

    def _take(self) -> tuple[Batch | None, Exception | None]:
        """The next batch, or none at the end, and how a write of it from the loop has failed."""
        with self._condition:
            while True:
                if self._return is not None:
                    returned, self._return = self._return, None
                    return returned
                batch = [] if self._is_away else self._gather(time.monotonic())
                if batch:
                    self._last_size = sum(len(taken) for _, taken, _ in batch)
                    return batch, None
                if self._stopping and not self._ready and not self._is_away:
                    return None, None
                self._park()

    def _park(self) -> None:
        if connection.vendor == "postgresql" and not self._is_away:
            self._alone.lend(connection.connection)
        self._is_parked = True
        self._condition.wait(self._next_wait())
        self._is_parked = False

    def _next_wait(self) -> float | None:
        if not self._ready or self._is_away:
            return None
        return max(0.0, min(handle.not_before for handle in self._ready) - time.monotonic())

    def _gather(self, now: float) -> Batch:
        batch: Batch = []
        room, space = MAX_TRANSITIONS, MAX_BYTES
        runs: set[UUID] = set()
        for handle in list(self._ready):
            # one handle of a run: it may be back in this process under a new token while the old one still writes
            if handle.not_before > now or room <= 0 or space <= 0 or handle.run_id in runs:
                continue
            if handle.held or handle.pending[0].transition is None:
                self._give_away(handle)
                continue
            runs.add(handle.run_id)
            taken = leading(handle, room, space)
            room -= len(taken)
            transitions = [item.transition for item in taken if item.transition is not None]
            space -= sum(weight(transition) for transition in transitions)
            del self._ready[handle]
            batch.append((handle, taken, Entry(handle.run_id, handle.token, handle.write_no + 1, transitions)))
        return batch

    def _give_away(self, handle: Handle) -> None:
        del self._ready[handle]
        if not handle.held:
            handle.held = True
            waiter = handle.pending.popleft().waiter
            tell([(waiter, Result.DONE)] if waiter else [])

    def _settle(self, batch: Batch, results: dict[UUID, Written]) -> None:
        done: dict[UUID, int] = {}
        answers: list[tuple[Waiter, Answer]] = []
        for handle, taken, entry in batch:
            result, last_sequence = self._sure(handle, entry, results[handle.run_id])
            if result is Result.BUSY:
                self._put_back(handle, taken)
                continue
            if result is Result.DONE:
                handle.write_no = entry.write_no
                handle.pause = 0.0
                handle.one_by_one = max(0, handle.one_by_one - len(taken))
                done[handle.run_id] = last_sequence
            handle.lost = handle.lost or result is Result.LOST
            answers += [(item.waiter, result) for item in taken if item.waiter is not None]
            self._again(handle)
        if done:
            self._on_commit(done)
        tell(answers)

    def _sure(self, handle: Handle, entry: Entry, written: Written) -> Written:
        """A refusal may mean that the same write, sent before on a connection that was lost, has come through late."""
        if not handle.unsure or written.result is Result.BUSY:
            return written
        handle.unsure = 0
        if written.result is Result.DONE:
            return written
        return Written(Result.DONE) if self._committed([entry]) else written

    def _again(self, handle: Handle) -> None:
        with self._condition:
            if handle.pending:
                self._ready[handle] = None

    def _put_back(self, handle: Handle, taken: list[Pending]) -> None:
        """In the run's own order, to a later batch: a batch never waits for a row."""
        handle.pause = min(max(handle.pause * 2, _FIRST_PAUSE), _LONGEST_PAUSE)
        handle.not_before = time.monotonic() + handle.pause
        with self._condition:
            handle.pending.extendleft(reversed(taken))
            self._ready[handle] = None

    def _recover(self, batch: Batch, exc: Exception) -> None:
        fault = classify(exc)
        if fault is Fault.FATAL:
            raise exc
        if fault is Fault.REPEAT:
            self._repeat(batch, exc)
        else:
            self._isolate(batch, exc)

    def _repeat(self, batch: Batch, exc: Exception) -> None:
        """The commit may or may not have happened: `write_no`, read back, decides for each run."""
        known = self._committed([entry for _, _, entry in batch], exc)
        for handle, taken, _ in batch:
            handle.unsure = len(taken)  # not there yet is not never: the server may still have it before it
        self._settle(batch, {entry.run_id: _known(entry, known) for _, _, entry in batch})

    def _committed(self, entries: list[Entry], exc: Exception | None = None) -> set[UUID]:
        """The runs whose entries are there; an outage, in which `exc` was met, is sat out."""
        while True:
            if exc is not None:
                self._sit_out(len(entries), exc)
            try:
                return committed(entries)
            except Exception as again:
                if classify(again) is not Fault.REPEAT:
                    raise
                exc = again

    def _sit_out(self, runs: int, exc: Exception) -> None:
        pause = min(max(self._outage_pause * 2, _FIRST_PAUSE), _LONGEST_OUTAGE_PAUSE)
        if pause == _LONGEST_OUTAGE_PAUSE > self._outage_pause:
            logger.error("%d runs wait, because of the database: %s. It is tried again.", runs, describe(exc))
        self._outage_pause = pause
        time.sleep(self._outage_pause)
        connection.close()

    def _isolate(self, batch: Batch, exc: Exception) -> None:
        """Split by run, then by transition, until the bad value stands alone; only its step fails."""
        if len(batch) > 1:
            for item in batch:
                self._by_itself([item])
            return
        handle, taken, _ = batch[0]
        handle.unsure = 0
        if len(taken) > 1:
            handle.one_by_one = len(taken)
            self._put_back(handle, taken)
            return
        logger.warning("Run %s: a value cannot be stored: %s", handle.run_id, exc)
        tell([(taken[0].waiter, exc)] if taken[0].waiter else [])
        self._again(handle)

    def _by_itself(self, batch: Batch) -> None:
        try:
            results = self.commit([entry for _, _, entry in batch])
        except Exception as exc:
            self._recover(batch, exc)
        else:
            self._settle(batch, results)


def _known(entry: Entry, known: set[UUID]) -> Written:
    return Written(Result.DONE if entry.run_id in known else Result.BUSY)
