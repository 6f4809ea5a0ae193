"""asyncio keeps only weak references to tasks; what a run waits for must survive the garbage collector."""

import asyncio
import gc
import weakref
from typing import Any

from runs import jobs
from runs.jobs import StepContext, job
from tests.engine.driver import Driver, begin, until


class Promises:
    """Futures that nothing here keeps alive: whoever awaits them must be kept by the engine."""

    def __init__(self) -> None:
        self._made: list[weakref.ref[asyncio.Future[int]]] = []

    def __len__(self) -> int:
        return len(self._made)

    async def wait(self) -> int:
        future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._made.append(weakref.ref(future))
        return await future

    def keep(self) -> None:
        for number, made in enumerate(self._made):
            future = made()
            assert future is not None, "collected with the task that awaits it"
            future.set_result(number)


def collect() -> None:
    for _ in range(3):
        gc.collect()


def test_a_job_and_its_branches_survive_the_garbage_collector(driver: Driver) -> None:
    """One future is awaited by the job itself, one by a step, one by a step in a task that the job does not keep."""
    promises = Promises()
    found: list[Any] = []

    @job("forgetful")
    async def forgetful(step: StepContext) -> Any:
        async def background() -> None:
            found.append(await step.run("background", promises.wait))

        asyncio.get_running_loop().create_task(background())
        return [await promises.wait(), await step.run("step", promises.wait)]

    run = begin(forgetful)
    driver.claim()
    until(lambda: len(promises) == 2)
    collect()
    driver.call(promises.keep)
    until(lambda: len(promises) == 3)
    collect()
    driver.call(promises._made[2]().set_result, 7)  # type: ignore[union-attr]
    until(lambda: jobs.get(run.id).has_ended)
    assert (jobs.get(run.id).output, found) == ([0, 7], [1])


def test_a_parked_run_survives_the_garbage_collector(driver: Driver, settings: Any) -> None:
    settings.RUNS_UNLOAD_AFTER = 60

    @job("parked")
    async def parked(step: StepContext) -> list[Any]:
        return list(await asyncio.gather(*(step.wait_for_signal(name) for name in ("a", "b"))))

    run = begin(parked)
    driver.claim()
    execution = until(lambda: driver.executions)[0]
    until(lambda: len(execution._waiting.load.parked) == 2)
    collect()
    for name in ("a", "b"):
        jobs.signal(run.id, name, name)
    collect()
    driver.call(execution.mailbox.mark_stale)
    driver.call(execution._waiting.wake)
    until(lambda: jobs.get(run.id).has_ended)
    assert jobs.get(run.id).output == ["a", "b"]
