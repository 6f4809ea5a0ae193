"""Several tasks of a job call steps, and its own code cancels some: a replay takes the same way."""

import asyncio
import threading
from typing import Any

import pytest
from django.db import connections, transaction

from runs import jobs
from runs.engine.ports import NoFrames
from runs.jobs import Job, StepContext, job
from runs.models import Attempt, Run, RunStatus, Step
from runs.testing import drain
from tests.engine.driver import Driver, begin, events, until
from tests.engine.test_replay import crash_when, forever


class Branches:
    """Jobs whose steps are called by several tasks, or cancelled by the job's own code."""

    def __init__(self, first: list[bool]) -> None:
        self.calls: list[str] = []
        self.first = first

    def job(self, style: str) -> Job:
        @job("branches")
        async def branches(step: StepContext) -> list[str]:
            found = await getattr(self, style)(step)
            return [*found, await step.run("stop", self.stop)]

        return branches

    async def call(self, name: str, seconds: float) -> str:
        self.calls.append(name)
        await asyncio.sleep(seconds)
        return name

    async def stop(self) -> str:
        if self.first and self.first.pop():
            await forever()
        return "end"

    async def branch(self, step: StepContext, letter: str, seconds: float) -> str:
        await step.run(f"{letter}0", self.call, f"{letter}0", seconds)
        return await step.run(f"{letter}1", self.call, f"{letter}1", seconds)

    async def gather(self, step: StepContext) -> list[str]:
        return list(await asyncio.gather(self.branch(step, "a", 0.03), self.branch(step, "b", 0.001)))

    async def group(self, step: StepContext) -> list[str]:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self.branch(step, name, 0.03 / (n + 1))) for n, name in enumerate("abc")]
        return [task.result() for task in tasks]

    async def timeout(self, step: StepContext) -> list[str]:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await step.run("slow", self.call, "slow", 30)
        return ["timed out", await self.branch(step, "a", 0.001)]

    async def wait_for(self, step: StepContext) -> list[str]:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(self.branch(step, "s", 30), 0.05)
        return ["timed out", await asyncio.wait_for(self.branch(step, "a", 0.001), 30)]


@pytest.mark.parametrize(
    ("style", "output"),
    [
        ("gather", ["a1", "b1", "end"]),
        ("group", ["a1", "b1", "c1", "end"]),
        ("timeout", ["timed out", "a1", "end"]),
        ("wait_for", ["timed out", "a1", "end"]),
    ],
)
def test_branches_take_the_same_way_in_a_replay(driver: Driver, style: str, output: list[str]) -> None:
    branches = Branches([True])
    run = begin(branches.job(style))
    crash_when(driver, run, lambda: not branches.first)
    live = list(branches.calls)
    drain()
    ended = jobs.get(run.id)
    assert (ended.status, ended.output) == (RunStatus.COMPLETED, output), ended.error
    assert branches.calls == live
    assert not set(Step.objects.values_list("status", flat=True)) & {"running", "retrying"}


def test_a_timeout_of_the_job_records_the_cancellation_of_its_step_once() -> None:
    run = begin(Branches([]).job("timeout"))
    drain()
    of_slow = [str(event.type) for event in events(run) if event.step == "slow"]
    assert of_slow == ["step:start", "step:cancel"]


def test_a_result_that_nobody_received_is_cancelled_and_replayed_so(driver: Driver) -> None:
    """The job cancels the call while the step's completion is on its way to disk."""
    finish, returned = asyncio.Event(), threading.Event()
    locked, release = threading.Event(), threading.Event()
    tasks: list[asyncio.Task[str]] = []

    @job("cancels-late")
    async def cancels_late(step: StepContext) -> str:
        async def work() -> str:
            await finish.wait()
            returned.set()
            return "nobody gets this"

        tasks.append(asyncio.create_task(step.run("work", work)))
        await asyncio.wait(tasks)
        return "cancelled" if tasks[0].cancelled() else "received"

    def hold(run: Run) -> None:
        try:
            with transaction.atomic():
                Run.objects.select_for_update(no_key=True).get(id=run.id)
                locked.set()
                release.wait(60)
        finally:
            connections.close_all()

    run = begin(cancels_late)
    driver.claim()
    until(lambda: Step.objects.filter(status="running").exists())
    holder = threading.Thread(target=hold, args=[run])
    holder.start()
    assert locked.wait(60)
    driver.call(finish.set)
    assert returned.wait(60)
    driver.call(tasks[0].cancel)
    cancelled = threading.Event()
    driver.call(cancelled.set)
    assert cancelled.wait(60)
    release.set()
    holder.join()
    until(lambda: jobs.get(run.id).has_ended)
    assert jobs.get(run.id).output == "cancelled"
    assert [str(event.type) for event in events(run) if event.step] == ["step:start", "step:complete", "step:cancel"]
    assert Step.objects.values_list("status", "output").get() == ("cancelled", None)
    assert Attempt.objects.get().outcome == "cancelled"


def test_what_a_frame_sink_does_with_tasks_makes_no_branch(driver: Driver) -> None:
    """A bus may make tasks of its own when frames are sent, in a live run and not in its replay."""

    class Busy(NoFrames):
        async def flush(self, run_id: Any) -> None:
            await asyncio.create_task(asyncio.sleep(0))

    first = [True]

    async def stop() -> None:
        if first:
            first.clear()
            await forever()

    @job("streams-and-branches")
    async def streams(step: StepContext) -> list[int]:
        await step.stream("words", lambda emit: emit("word"))
        found = await asyncio.gather(step.run("a", lambda: 1), step.run("b", lambda: 2))
        await step.run("stop", stop)
        return list(found)

    run = begin(streams)
    with Driver(Busy()) as busy:
        crash_when(busy, run, lambda: not first)
    drain()
    assert jobs.get(run.id).output == [1, 2], jobs.get(run.id).error
