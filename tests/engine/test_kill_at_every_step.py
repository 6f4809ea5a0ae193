"""Jobs of every shape end alike after a kill at each of their steps, before or after it was recorded."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from typing import Any

import pytest

from runs import jobs
from runs.errors import SignalTimeout
from runs.jobs import Job, StepContext, job
from runs.models import Run, RunStatus, Signal, Step
from runs.testing import crash_after, freeze, run_to_end, signal
from tests.engine.driver import begin

DAY = timedelta(days=1)


class Shapes:
    """One job per shape; `calls` are the invocations of its step functions."""

    def __init__(self, shape: str) -> None:
        self.shape = shape
        self.calls: Counter[str] = Counter()

    async def call(self, name: str, seconds: float = 0) -> str:
        self.calls[name] += 1
        await asyncio.sleep(seconds)
        return name

    async def fail(self, name: str) -> None:
        await self.call(name)
        raise ValueError(name)

    def job(self) -> Job:
        @job("shape")
        async def shaped(step: StepContext) -> list[Any]:
            found = await getattr(self, self.shape)(step)
            return [found, await step.run("last", self.call, "last")]

        return shaped

    async def gather(self, step: StepContext) -> list[Any]:
        async def short() -> str:
            return await step.run("s1", self.call, "s1")

        async def long() -> list[Any]:
            await step.sleep("nap", DAY)
            second = await step.run("s2", self.call, "s2", 0.01)
            return [second, await step.wait_for_signal("a"), await step.run("s3", self.call, "s3")]

        return list(await asyncio.gather(long(), short(), step.wait_for_signal("b")))

    async def group(self, step: StepContext) -> list[Any]:
        async def fails() -> None:
            await step.run("s1", self.call, "s1")
            await step.wait_for_signal("a")
            raise ValueError

        caught = []
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(step.wait_for_signal("never"))
                group.create_task(step.sleep("nap", 100 * DAY))
                group.create_task(fails())
        except* ValueError as exc:
            caught.append(len(exc.exceptions))
        return [caught, await step.run("s2", self.call, "s2"), await step.wait_for_signal("b")]

    async def timeout(self, step: StepContext) -> list[Any]:
        found = []
        for seconds, name, limit in ((30.0, "slow", 0.6), (0.0, "quick", 60)):
            try:
                async with asyncio.timeout(limit):
                    found.append(await step.run(name, self.call, name, seconds))
            except TimeoutError:
                found.append("late")
        return [*found, await step.wait_for_signal("a")]

    async def cleanup(self, step: StepContext) -> list[Any]:
        found = []
        try:
            found.append(await step.wait_for_signal("a"))
            found.append(await step.wait_for_signal("never", timeout=DAY))
        except SignalTimeout:
            found.append("late")
        finally:
            found.append(await step.run("cleanup", self.call, "cleanup"))
        return found

    async def swallowed(self, step: StepContext) -> list[Any]:
        found: list[Any] = []
        for number in (1, 2):
            try:
                await step.run(f"bad {number}", self.fail, f"bad {number}")
            except Exception as exc:
                found.append(type(exc).__name__)
            try:
                await step.wait_for_signal("never", timeout=DAY)
            except BaseException as exc:
                found.append(type(exc).__name__)
        return found

    async def mixed(self, step: StepContext) -> list[Any]:
        mapped = await step.map("m", self.call, ["m0", "m1", "m2"], concurrency=2)
        won = await step.race("race", {"nap": lambda one: one.sleep("long", 9 * DAY), "go": self.racer})
        return [mapped, won.name, won.value]

    async def racer(self, step: StepContext) -> str:
        await step.run("s1", self.call, "s1")
        return str(await step.wait_for_signal("a"))


SHAPES = ["gather", "group", "timeout", "cleanup", "swallowed", "mixed"]


@pytest.fixture(autouse=True)
def _still() -> Iterator[None]:
    with freeze():
        yield


def start(shapes: Shapes) -> Run:
    run = begin(shapes.job())
    for name in ("a", "b"):
        signal(run, name, name.upper())
    return run


def recorded(run: Run) -> list[Any]:
    """What is on record of each step; a loser's may have been taken back before or after it began."""
    rows = Step.objects.filter(run=run).order_by("branch", "position")
    return list(rows.values_list("name", "kind", "branch", "position", "status", "output"))


@pytest.mark.parametrize("shape", SHAPES)
def test_a_kill_at_each_step_changes_nothing(shape: str) -> None:
    plain = Shapes(shape)
    reference = run_to_end(start(plain))
    assert reference.status == RunStatus.COMPLETED, reference.error
    assert set(plain.calls.values()) == {1}
    for at in Step.objects.filter(run=reference).values_list("name", flat=True).order_by("id"):
        killed = Shapes(shape)
        run = start(killed)
        with crash_after(at, run=run):
            run_to_end(run)
        assert_alike(run, reference)
        assert killed.calls == plain.calls, f"killed after {at}"


@pytest.mark.parametrize("shape", ["gather", "timeout", "mixed"])
def test_a_kill_before_the_record_of_every_step_of_one_run_changes_nothing(shape: str) -> None:
    plain, killed = Shapes(shape), Shapes(shape)
    reference = run_to_end(start(plain))
    names = list(Step.objects.filter(run=reference).values_list("name", flat=True))
    run = start(killed)
    with ExitStack() as stack:
        for name in names:
            stack.enter_context(crash_after(name, run=run, before_record=True))
        while not jobs.get(run.id).has_ended:
            try:
                run_to_end(run)
            except AssertionError:
                jobs.resume(run.id)  # paused as a crash loop: nothing was recorded between so many kills
    assert_alike(run, reference)
    assert all(1 <= count <= 1 + len(names) for count in killed.calls.values())
    assert killed.calls.keys() == plain.calls.keys()


def assert_alike(run: Run, reference: Run) -> None:
    ended = jobs.get(run.id)
    assert (ended.status, ended.output) == (RunStatus.COMPLETED, reference.output), ended.error
    assert recorded(run) == recorded(reference)
    assert list(consumed(run)) == list(consumed(reference))


def consumed(run: Run) -> Any:
    return Signal.objects.filter(run=run).values_list("name", "consumed_by").order_by("name")
