"""`asyncio.timeout` and the like in a job's own code around a durable wait: short ones work, long ones are refused."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from runs import jobs
from runs.jobs import StepContext, job
from runs.models import RunStatus
from runs.testing import crash_after, drain
from tests.engine.driver import begin, types


def test_a_short_one_keeps_the_run_loaded_until_it_goes_off(settings: Any) -> None:
    settings.RUNS_UNLOAD_AFTER = 0.01

    @job("short")
    async def short(step: StepContext) -> str:
        try:
            async with asyncio.timeout(0.3):
                await step.wait_for_signal("go")
        except TimeoutError:
            return str(await step.run("late", lambda: "too late"))
        return "in time"

    run = begin(short)
    drain()
    assert jobs.get(run.id).output == "too late"
    assert "run:wait" not in types(run)


@pytest.mark.parametrize("style", ["timeout", "wait_for", "sleep"])
def test_a_long_one_fails_the_run_and_says_what_to_use(style: str) -> None:
    @job("long")
    async def long(step: StepContext) -> None:
        if style == "timeout":
            async with asyncio.timeout(3600):
                await step.wait_for_signal("go")
        elif style == "wait_for":
            await asyncio.wait_for(step.sleep("nap", timedelta(days=1)), 3600)
        else:
            await asyncio.gather(asyncio.sleep(3600), step.wait_for_signal("go"))

    run = begin(long)
    drain()
    failed = jobs.get(run.id)
    assert (failed.status, failed.error["type"]) == (RunStatus.FAILED, "TimerAroundWait")
    assert "step.sleep" in failed.error["message"]


def test_a_long_one_around_a_step_is_no_matter() -> None:
    @job("around-a-step")
    async def around(step: StepContext) -> int:
        async with asyncio.timeout(3600):
            found = await step.run("one", lambda: 1)
        async with asyncio.timeout(3600):
            await step.run("two", asyncio.sleep, 0.05)
        await step.wait_for_signal("go")
        return found

    run = begin(around)
    with crash_after("two"):
        drain()
    drain()
    assert jobs.get(run.id).status == RunStatus.WAITING
    jobs.signal(run.id, "go")
    drain()
    assert jobs.get(run.id).output == 1
