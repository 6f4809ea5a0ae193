"""Waits in branches, timeouts and clean-up take the same way after a kill at every step."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from runs import jobs
from runs.jobs import Job, StepContext, SyncStepContext, job
from runs.models import RunStatus, Signal, Step
from runs.testing import advance, drain
from tests.engine.driver import Driver, begin, until
from tests.engine.test_replay import forever


class Shapes:
    """Jobs of steps `s1`, `s2`, ...; the one named `at` does not come back the first time."""

    def __init__(self, at: str) -> None:
        self.at = at
        self.calls: list[str] = []

    async def call(self, name: str) -> str:
        self.calls.append(name)
        if name == self.at and self.calls.count(name) == 1:
            await forever()
        return name

    def job(self, shape: str) -> Job:
        @job("shape")
        async def shaped(step: StepContext) -> list[Any]:
            found = await getattr(self, shape)(step)
            return [found, await step.run("s4", self.call, "s4")]

        return shaped

    async def gather(self, step: StepContext) -> Any:
        async def short() -> str:
            return await step.run("s1", self.call, "s1")

        async def long() -> list[Any]:
            await step.sleep("nap", timedelta(seconds=0))
            first = await step.run("s2", self.call, "s2")
            return [first, await step.wait_for_signal("go"), await step.run("s3", self.call, "s3")]

        return list(await asyncio.gather(short(), long(), step.wait_for_signal("go")))

    async def group(self, step: StepContext) -> Any:
        async def fails() -> None:
            await step.run("s1", self.call, "s1")
            await step.wait_for_signal("go")
            raise ValueError

        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(fails())
                group.create_task(step.wait_for_signal("never"))
        except* ValueError:
            pass
        return [await step.run("s2", self.call, "s2"), await step.wait_for_signal("go")]

    async def timeout(self, step: StepContext) -> Any:
        await step.run("s1", self.call, "s1")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.02):
                await step.wait_for_signal("never")
        return [await step.run("s2", self.call, "s2"), await step.wait_for_signal("go")]

    async def cleanup(self, step: StepContext) -> Any:
        found = []
        try:
            await step.run("s1", self.call, "s1")
            found.append(await step.wait_for_signal("go"))
            found.append(await step.run("s2", self.call, "s2"))
            return [*found, await step.wait_for_signal("go")]
        finally:
            found.append("after")

    async def swallowed(self, step: StepContext) -> Any:
        found: list[Any] = []
        for name in ("s1", "s2"):
            try:
                await step.run(name, self.call, name)
                found.append(await step.wait_for_signal("go"))
                raise ValueError
            except Exception as exc:
                found.append(type(exc).__name__)
        return found

    async def racing(self, step: StepContext) -> Any:
        async def branch(one: StepContext) -> Any:
            await one.run("s1", self.call, "s1")
            return await one.wait_for_signal("go")

        won = await step.race("race", {"a": branch, "b": lambda one: one.wait_for_signal("never")})
        return [won.name, won.value, await step.run("s2", self.call, "s2"), await step.wait_for_signal("go")]


OUTPUTS: dict[str, Any] = {
    "gather": ["s1", ["s2", 2, "s3"], 1],
    "group": ["s2", 2],
    "timeout": ["s2", 1],
    "cleanup": [1, "s2", 2],
    "swallowed": [1, "ValueError", 2, "ValueError"],
    "racing": ["a", 1, "s2", 2],
}

SIGNALS = {"timeout": 1}
"""How many a shape consumes, where it is not two."""


@pytest.mark.parametrize("at", ["s1", "s2", "s4"])
@pytest.mark.parametrize("shape", OUTPUTS)
def test_a_kill_at_a_step_changes_nothing(driver: Driver, shape: str, at: str) -> None:
    shapes = Shapes(at)
    run = begin(shapes.job(shape))
    drain_until_hung(driver, run, shapes)
    drain()
    assert_end(run, shapes, shape)


def drain_until_hung(driver: Driver, run: Any, shapes: Shapes) -> None:
    sent = 0
    while shapes.at not in shapes.calls:
        driver.claim()
        until(lambda: shapes.at in shapes.calls or jobs.get(run.id).status == RunStatus.WAITING)
        if shapes.at not in shapes.calls and sent < 2:
            sent += 1
            jobs.signal(run.id, "go", sent)
    driver.kill()
    for number in range(sent, 2):
        jobs.signal(run.id, "go", number + 1)


def assert_end(run: Any, shapes: Shapes, shape: str) -> None:
    ended = jobs.get(run.id)
    assert ended.status == RunStatus.COMPLETED, ended.error
    assert ended.output[1] == "s4"
    assert sorted(map(str, flat(ended.output[0]))) == sorted(map(str, flat(OUTPUTS[shape])))
    assert all(shapes.calls.count(name) == 1 + (name == shapes.at) for name in set(shapes.calls))
    taken = list(Signal.objects.exclude(consumed_by=None).values_list("consumed_by", flat=True))
    assert len(set(taken)) == len(taken) == SIGNALS.get(shape, 2)
    assert not set(Step.objects.values_list("status", flat=True)) & {"running", "retrying"}


def flat(value: Any) -> list[Any]:
    return [one for part in value for one in flat(part)] if isinstance(value, list) else [value]


@pytest.mark.parametrize("at", ["s1", "s2"])
def test_a_plain_function_takes_the_same_way(driver: Driver, at: str) -> None:
    shapes = Shapes(at)

    @job("plain-shape")
    def plain(step: SyncStepContext) -> list[Any]:
        found = [step.run("s1", shapes.call, "s1"), step.wait_for_signal("go")]
        step.sleep("nap", timedelta(hours=1))
        return [*found, step.run("s2", shapes.call, "s2"), step.wait_for_signal("go")]

    run = begin(plain)
    for number in (1, 2):
        jobs.signal(run.id, "go", number)
    driver.claim()
    until(lambda: at in shapes.calls or jobs.get(run.id).status == RunStatus.WAITING)
    if at == "s2":
        advance(timedelta(hours=1))
        driver.claim()
        until(lambda: at in shapes.calls)
    driver.kill()
    drain()
    advance(timedelta(hours=1))
    drain()
    assert jobs.get(run.id).output == ["s1", 1, "s2", 2]
