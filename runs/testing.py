"""For the tests of your own jobs: run what is due in this process, and move the clock.

Needs a database with real transactions (`@pytest.mark.django_db(transaction=True)`).
"""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import connections
from uuid_utils.compat import uuid7

from runs import clock
from runs.definitions import registry
from runs.engine.branches import task_factory
from runs.engine.claim import claim_due
from runs.engine.execute import Execution, World
from runs.engine.ports import FrameSink, NoFrames
from runs.engine.store.firing import fire_due
from runs.engine.watch import fetch_leases
from runs.engine.writer import Writer
from runs.jobs import all_jobs
from runs.maintenance.sweeper import sweep
from runs.models import Run, Worker

__all__ = ["advance", "claim_for", "drain", "frozen_worker", "temporary_jobs"]


def temporary_jobs() -> AbstractContextManager[None]:
    """Jobs that are registered inside are forgotten afterwards, as if another version had been deployed."""
    return registry.restored()


def advance(by: timedelta) -> None:
    """Move the clocks of this process and of its database queries forward."""
    clock.move(by)


def drain(*, timeout: timedelta = timedelta(seconds=30), frames: FrameSink | None = None) -> list[UUID]:
    """Fire schedules, claim and execute until nothing is due; the ids of the runs that were driven, in order of claim.

    Runs that wait for a later time stay waiting: `advance()` and drain again. Raises TimeoutError.
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

    # a thread of its own: the caller may be inside a running loop, and its connection is not the driver's
    thread = threading.Thread(target=main, name="runs-testing")
    thread.start()
    thread.join()
    if failures:
        raise failures[0]
    return result


async def _drain(timeout: timedelta, frames: FrameSink) -> list[UUID]:
    asyncio.get_running_loop().set_task_factory(task_factory)  # type: ignore[arg-type]
    deaths: list[BaseException] = []
    writer = Writer(lambda committed: None, deaths.append)
    writer.start()
    with ThreadPoolExecutor(8) as job_threads, ThreadPoolExecutor(8) as step_threads:
        world = World(writer, frames, job_threads, step_threads, _report_leak)
        try:
            async with asyncio.timeout(timeout.total_seconds()):
                return await _drive_all(world, deaths)
        finally:
            await asyncio.to_thread(writer.stop)


def _report_leak(message: str) -> None:
    raise RuntimeError(message)


async def _drive_all(world: World, deaths: list[BaseException]) -> list[UUID]:
    loaded: dict[asyncio.Task[object], Execution] = {}
    worker = await _in_thread(frozen_worker)
    try:
        return await _drive_until_idle(world, worker, loaded, deaths)
    finally:
        for execution in loaded.values():
            execution.lose()


async def _drive_until_idle(
    world: World, worker: Worker, loaded: "dict[asyncio.Task[object], Execution]", deaths: list[BaseException]
) -> list[UUID]:
    driven: list[UUID] = []
    while True:
        await _in_thread(sweep)
        while await _in_thread(fire_due, _versions()):
            pass
        for run in await _in_thread(claim_for, worker):
            execution = Execution(run, world)
            loaded[asyncio.get_running_loop().create_task(execution.drive())] = execution
            driven.append(run.id)
        if not loaded:
            await _in_thread(worker.delete)
            return driven
        await _wait_for_one(loaded)
        if deaths:
            raise deaths[0]


async def _in_thread(function: Callable[..., Any], *args: Any) -> Any:
    """In a thread that gives its database connection back."""

    def call() -> Any:
        try:
            return function(*args)
        finally:
            connections.close_all()

    return await asyncio.to_thread(call)


async def _wait_for_one(loaded: "dict[asyncio.Task[object], Execution]") -> None:
    done, _ = await asyncio.wait(loaded, timeout=0.1, return_when=asyncio.FIRST_COMPLETED)
    for task in done:
        del loaded[task]
        task.result()
    leases = await _in_thread(fetch_leases, [one.run_id for one in loaded.values()])
    for execution in loaded.values():
        look = leases.get(execution.run_id)
        if look is None or look.token != execution.token:
            execution.lose()
        else:
            execution.see(look)


def _versions() -> list[tuple[str, str]]:
    return [job.key for job in all_jobs()]


def frozen_worker(*, lease: timedelta = timedelta(hours=1)) -> Worker:
    """A worker's row without a process behind it: holds what is claimed for it until its lease ends."""
    now = clock.now()
    return Worker.objects.create(
        id=uuid7(), host_id="testing", host="testing", pid=0, pid_start="", started_at=now, seen_at=now,
        expires_at=now + lease,
    )  # fmt: skip


def claim_for(worker: Worker, limit: int = 32) -> list[Run]:
    """Claim for a worker without a process, as a worker that then dies would."""
    return claim_due(worker.id, _versions(), limit)
