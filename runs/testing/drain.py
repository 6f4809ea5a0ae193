"""Claims and drives what is due, in this process, until nothing is."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from django.db import connections

from runs.conf import get_settings
from runs.engine.branches import prepare
from runs.engine.execute import Execution, World
from runs.engine.ports import FrameSink, NoFrames
from runs.engine.store.firing import fire_due
from runs.engine.watch import fetch_leases
from runs.engine.writer import Writer
from runs.events.doorbell import hang_up
from runs.jobs import all_jobs
from runs.maintenance.sweeper import sweep
from runs.models import Worker
from runs.testing.claims import claim_for, frozen_worker
from runs.testing.crashes import MortalCommit

UNLOAD_AFTER: Final = 0.01
"""Seconds that a wait stays loaded here; a test has better things to do than to wait for a real worker's second."""

_DEATH_SECONDS: Final = 0.5


def drain(*, timeout: timedelta = timedelta(seconds=30), frames: FrameSink | None = None) -> list[UUID]:
    """Fire schedules, claim and execute until nothing is due; the ids of the runs that were driven, in order of claim.

    Runs that wait for a later time stay waiting: `advance()` and drain again. Raises TimeoutError after `timeout` of
    real time.
    """
    result: list[UUID] = []
    failures: list[BaseException] = []

    def main() -> None:
        try:
            result.extend(asyncio.run(_drain(timeout, frames or NoFrames())))
        except BaseException as exc:
            failures.append(exc)
        finally:
            connections.close_all()
            hang_up()  # a test database that is in use cannot be dropped

    # a thread of its own: the caller may be inside a running loop, and its connection is not the driver's
    thread = threading.Thread(target=main, name="runs-testing")
    thread.start()
    thread.join()
    if failures:
        raise failures[0]
    return result


async def _drain(timeout: timedelta, frames: FrameSink) -> list[UUID]:
    prepare(asyncio.get_running_loop())
    commit, deaths = MortalCommit(), list[BaseException]()
    writer = Writer(lambda committed: None, deaths.append, commit)
    unload_after = min(get_settings().unload_after, UNLOAD_AFTER)
    with ThreadPoolExecutor(8) as job_threads, ThreadPoolExecutor(8) as step_threads, ThreadPoolExecutor(1) as own:
        world = World(writer, frames, job_threads, step_threads, _report_leak, unload_after)
        driving = _Driving(world, own, commit, deaths)
        with commit.silenced():
            writer.start()
            try:
                async with asyncio.timeout(timeout.total_seconds()):
                    return await driving.until_idle()
            finally:
                await driving.leave()
                await asyncio.to_thread(writer.stop)


def _report_leak(message: str) -> None:
    raise RuntimeError(message)


class _Driving:
    """One worker, and the runs that it has loaded."""

    def __init__(
        self, world: World, own: ThreadPoolExecutor, commit: MortalCommit, deaths: list[BaseException]
    ) -> None:
        self._world, self._own, self._commit, self._deaths = world, own, commit, deaths
        self._worker: Worker | None = None
        self._loaded: dict[asyncio.Task[object], Execution] = {}

    async def until_idle(self) -> list[UUID]:
        self._worker = await self._call(frozen_worker)
        driven: list[UUID] = []
        while not self._commit.is_dead:
            await self._call(sweep)
            while await self._call(fire_due, [job.key for job in all_jobs()]):
                pass
            for run in await self._call(claim_for, self._worker):
                execution = Execution(run, self._world)
                self._loaded[asyncio.get_running_loop().create_task(execution.drive())] = execution
                driven.append(run.id)
            if not self._loaded:
                break
            await self._wait_for_one()
            if self._deaths and not self._commit.is_dead:
                raise self._deaths[0]
        return driven

    async def _wait_for_one(self) -> None:
        done, _ = await asyncio.wait(self._loaded, timeout=0.1, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            del self._loaded[task]
            task.result()
        leases = await self._call(fetch_leases, [one.run_id for one in self._loaded.values()])
        for execution in self._loaded.values():
            look = leases.get(execution.run_id)
            if look is None or look.token != execution.token:
                execution.lose()
            else:
                execution.see(look)

    async def leave(self) -> None:
        """Let go of what is loaded, and of the lease: it is due for the next worker."""
        for execution in self._loaded.values():
            execution.lose()
        if self._loaded:
            _, left = await asyncio.wait(self._loaded, timeout=_DEATH_SECONDS)
            for task in left:
                task.cancel()  # it waits for a write that a dead worker does not do
            await asyncio.gather(*self._loaded, return_exceptions=True)
        if self._worker is not None:
            await self._call(self._worker.delete)
        await self._call(connections.close_all)

    async def _call(self, function: Callable[..., Any], *args: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._own, function, *args)
