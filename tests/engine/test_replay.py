"""A run that goes on elsewhere executes its function from the top and calls no recorded step again."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from runs import jobs
from runs.engine.ports import NoFrames
from runs.errors import InvalidStepName
from runs.jobs import Job, StepContext, job
from runs.models import Run, RunStatus, Step
from runs.testing import drain, temporary_jobs
from tests.engine.driver import Driver, begin, events, types, until


async def forever() -> None:
    await asyncio.Event().wait()


def crash_when(driver: Driver, run: Run, condition: Callable[[], Any]) -> None:
    """Drive the run until the condition holds, then let its worker die."""
    assert [claimed.id for claimed in driver.claim()] == [run.id]
    until(condition)
    driver.kill()


def test_recorded_steps_are_not_called_again_after_a_takeover(driver: Driver) -> None:
    calls: list[str] = []

    async def call(name: str) -> str:
        calls.append(name)
        if calls.count("c") == 1 and name == "c":
            await forever()
        return name.upper()

    @job("three")
    async def three(step: StepContext) -> list[str]:
        return [await step.run(name, call, name) for name in "abc"]

    run = begin(three)
    crash_when(driver, run, lambda: "step:start" in types(run) and "c" in calls)
    assert drain() == [run.id]
    assert calls == ["a", "b", "c", "c"]
    assert jobs.get(run.id).output == ["A", "B", "C"]
    assert [event.data for event in events(run) if event.type == "run:recover"] == [{"claims": 1}]


def test_a_failed_step_raises_the_same_error_live_and_replayed(driver: Driver) -> None:
    met: list[tuple[type, str]] = []
    reached: list[int] = []

    def fail() -> None:
        raise ZeroDivisionError("by \x00 and \ud800")

    async def pause() -> None:
        reached.append(1)
        if len(reached) == 1:
            await forever()

    @job("fails")
    async def fails(step: StepContext) -> str:
        try:
            await step.run("fail", fail)
        except Exception as exc:
            met.append((type(exc), str(exc)))
        await step.run("pause", pause)
        return "over it"

    run = begin(fails)
    crash_when(driver, run, lambda: reached)
    drain()
    assert jobs.get(run.id).output == "over it"
    assert len(met) == 2
    assert met[0] == met[1]
    assert "ZeroDivisionError" in met[0][1]


def waits_after(*names: str, kind: str = "run") -> Job:
    """A job with these steps, then one that never ends."""

    @job("changed")
    async def changed(step: StepContext) -> None:
        for name in names:
            if kind == "run":
                await step.run(name, lambda: 1)
            else:
                await step.stream(name, lambda emit: 1)
        await step.run("last", forever)

    return changed


def returns_after(*names: str, kind: str = "run") -> Job:
    @job("changed")
    async def changed(step: StepContext) -> str:
        for name in names:
            if kind == "run":
                await step.run(name, lambda: 1)
            else:
                await step.stream(name, lambda emit: 1)
        return "done"

    return changed


@pytest.mark.parametrize(
    ("then", "kind", "expected", "met"),
    [
        (("a", "renamed", "last"), "run", "'b' (run)", "'renamed' (run)"),
        (("b", "a", "last"), "run", "'a' (run)", "'b' (run)"),
        (("a", "new", "b", "last"), "run", "'b' (run)", "'new' (run)"),
        (("a", "b"), "run", "'last' (run)", "the end of the job"),
        (("a",), "run", "'b' (run)", "the end of the job"),
        (("a", "b", "last"), "stream", "'a' (run)", "'a' (stream)"),
    ],
    ids=["renamed", "reordered", "inserted", "last missing", "two missing", "another kind"],
)
def test_code_that_does_not_match_the_history_pauses_and_touches_nothing(
    driver: Driver, then: tuple[str, ...], kind: str, expected: str, met: str
) -> None:
    with temporary_jobs():
        run = begin(waits_after("a", "b"))
        crash_when(driver, run, lambda: Step.objects.filter(name="last").exists())
    before = list(Step.objects.values())
    with temporary_jobs():
        returns_after(*then, kind=kind)
        drain()
    paused = jobs.get(run.id)
    assert (paused.status, paused.reason) == (RunStatus.PAUSED, "nondeterminism")
    assert paused.error["type"] == "NondeterminismError"
    assert expected in paused.error["message"]
    assert met in paused.error["message"]
    assert list(Step.objects.values()) == before
    assert types(run)[-2:] == ["run:recover", "run:pause"]
    assert drain() == []


def test_a_paused_run_is_resumed_by_fitting_code_and_shows_no_old_error(driver: Driver) -> None:
    with temporary_jobs():
        run = begin(waits_after("a"))
        crash_when(driver, run, lambda: Step.objects.filter(name="last").exists())
    with temporary_jobs():
        returns_after("other")
        drain()
    assert jobs.get(run.id).status == RunStatus.PAUSED

    @job("changed")
    async def changed(step: StepContext) -> str:
        await step.run("a", lambda: 2)
        await step.run("last", lambda: 1)
        return "fits"

    jobs.resume(run.id)
    drain()
    ended = jobs.get(run.id)
    assert (ended.status, ended.output, ended.error, ended.reason) == (RunStatus.COMPLETED, "fits", None, "")


def test_a_run_whose_job_is_not_there_any_more_is_not_claimed() -> None:
    with temporary_jobs():
        run = begin(returns_after("a"))
    assert drain() == []
    assert jobs.get(run.id).status == RunStatus.QUEUED


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


def test_a_step_inside_a_step_function_is_refused() -> None:
    @job("nested")
    async def nested(step: StepContext) -> str:
        async def outer() -> None:
            await step.run("inner", lambda: 1)

        await step.run("outer", outer)
        return ""

    run = begin(nested)
    drain()
    assert "inner" in jobs.get(run.id).error["message"]
    assert "StepOutsideJob" in jobs.get(run.id).error["message"]
    assert not Step.objects.filter(name="inner").exists()


def test_a_step_in_a_task_of_a_step_function_is_refused() -> None:
    @job("nested-in-task")
    async def nested(step: StepContext) -> str:
        async def outer() -> None:
            await asyncio.create_task(step.run("inner", lambda: 1))

        await step.run("outer", outer)
        return ""

    run = begin(nested)
    drain()
    assert "StepOutsideJob" in jobs.get(run.id).error["message"]


def test_a_name_is_used_once_in_a_run_and_the_error_says_what_to_do() -> None:
    @job("twice")
    async def twice(step: StepContext) -> None:
        await step.run("same", lambda: 1)
        await step.run("same", lambda: 2)

    run = begin(twice)
    drain()
    error = jobs.get(run.id).error
    assert error["type"] == "StepNameReused"
    assert "Put the index in it" in error["message"]


def test_what_cannot_name_a_step_is_refused() -> None:
    names: list[Any] = ["", "a" * 201, "a\x00b", "\ud800", "line\nbreak", None, 7]

    @job("badly-named")
    async def badly_named(step: StepContext) -> None:
        for name in names:
            with pytest.raises(InvalidStepName):
                await step.run(name, lambda: 1)

    run = begin(badly_named)
    drain()
    assert jobs.get(run.id).status == RunStatus.COMPLETED, jobs.get(run.id).error
    assert not Step.objects.exists()


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
