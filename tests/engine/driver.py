"""A worker in this process that can die: from the database's side a death is that nothing more is written."""

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Self
from uuid import UUID

from django.db import connections

from runs import jobs
from runs.engine.branches import prepare
from runs.engine.execute import Execution, Outcome, World
from runs.engine.ports import FrameSink, NoFrames
from runs.engine.store.commit import Commit, commit
from runs.engine.writer import Writer
from runs.events.log import read_events
from runs.events.types import RunEvent
from runs.models import Run
from runs.testing import claim_for, frozen_worker


def until(condition: Callable[[], Any], seconds: float = 60) -> Any:
    """Wait until `condition()` is true; its value."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "the condition did not come true in time"
        time.sleep(0.005)
    return found


def events(run: Run | UUID) -> list[RunEvent]:
    """The whole log of a run, whose numbers have no gap."""
    found = read_events(run.id if isinstance(run, Run) else run, limit=100_000)
    assert [event.sequence for event in found] == list(range(1, len(found) + 1))
    return found


def types(run: Run | UUID) -> list[str]:
    return [str(event.type) for event in events(run)]


def begin(job: jobs.Job, input: Any = None, **options: Any) -> Run:
    return jobs.start(job, input, **options).run


class Driver:
    """Claims and drives runs in a thread of its own until it is stopped or killed."""

    def __init__(self, frames: FrameSink | None = None, commit: Commit = commit) -> None:
        self.worker = frozen_worker()
        self.executions: list[Execution] = []
        self.leaks: list[str] = []
        self.deaths: list[BaseException] = []
        self.outcomes: dict[UUID, Outcome] = {}
        self.all_outcomes: list[Outcome] = []
        self._frames = frames or NoFrames()
        self._commit = commit
        self._started = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._main()), name="test-driver")

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._started.wait(60)
        return self

    async def _main(self) -> None:
        self.loop = asyncio.get_running_loop()
        prepare(self.loop)
        self._end = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self.writer = Writer(lambda committed: None, self.deaths.append, self._commit)
        self.writer.start()
        with ThreadPoolExecutor(8) as job_threads, ThreadPoolExecutor(8) as step_threads:
            self.world = World(self.writer, self._frames, job_threads, step_threads, self.leaks.append)
            self._started.set()
            await self._end.wait()
            for execution in self.executions:
                execution.lose()
            await asyncio.gather(*self._tasks)
            await asyncio.gather(*[asyncio.wrap_future(step_threads.submit(connections.close_all)) for _ in range(8)])
        await asyncio.to_thread(self.writer.stop)

    def claim(self, limit: int = 32) -> list[Run]:
        """Claim what is due and drive it."""
        runs = claim_for(self.worker, limit)
        for run in runs:
            self.call(self._drive, run)
        return runs

    def call(self, function: Callable[..., Any], *args: Any) -> None:
        self.loop.call_soon_threadsafe(function, *args)

    def _drive(self, run: Run) -> None:
        execution = Execution(run, self.world)
        self.executions.append(execution)
        task = self.loop.create_task(self._until_its_end(execution))
        self._tasks.add(task)

    async def _until_its_end(self, execution: Execution) -> None:
        self.outcomes[execution.run_id] = outcome = await execution.drive()
        self.all_outcomes.append(outcome)

    def outcome(self, run: Run) -> Outcome:
        """What became of the run here, once it is known."""
        found: Outcome = until(lambda: self.outcomes.get(run.id))
        return found

    def kill(self) -> None:
        """Stop driving as a process that dies does; its runs are due at once."""
        if self._thread.is_alive():
            self.call(self._end.set)
            self._thread.join(60)
            assert not self._thread.is_alive()
        self.worker.delete()

    def __exit__(self, *exc: object) -> None:
        if self._thread.is_alive():
            self.kill()
