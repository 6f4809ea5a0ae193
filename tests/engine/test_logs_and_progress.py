"""What a job's own code says is written once, however often its function runs."""

import asyncio
from typing import Any

import pytest

from runs import jobs
from runs.errors import StorageError
from runs.jobs import Retry, StepContext, current_attempt, job
from runs.models import Run, RunStatus, Step
from runs.testing import drain
from tests.engine.driver import Driver, begin, events, until


def said(run: Run) -> list[str]:
    return [event.data["message"] for event in events(run) if event.type in ("log:write", "run:progress")]


def test_lines_are_not_doubled_by_a_replay_and_go_on_where_they_ended(driver: Driver) -> None:
    stopped: list[int] = []

    async def stop() -> None:
        if not stopped:
            stopped.append(1)
            await asyncio.Event().wait()

    @job("talks")
    async def talks(step: StepContext) -> None:
        step.log.info("begins")
        step.progress(0, 2, "nothing yet")
        await step.run("first", lambda: 1)
        step.log.debug("first is done")
        await step.run("stop", stop)
        step.log.warning("goes on", data=1)
        step.progress(2, 2, "all")
        step.log.error("ends")

    run = begin(talks)
    driver.claim()
    until(lambda: Step.objects.filter(name="stop").exists())
    driver.kill()
    drain()
    assert said(run) == ["begins", "nothing yet", "first is done", "goes on", "all", "ends"]
    assert jobs.get(run.id).progress == {"current": 2, "total": 2, "message": "all"}
    levels = [event.data["level"] for event in events(run) if event.type == "log:write"]
    assert levels == ["info", "debug", "warning", "error"]


def test_lines_of_several_branches_are_each_written_once(driver: Driver) -> None:
    stopped: list[int] = []

    async def stop() -> None:
        if not stopped:
            stopped.append(1)
            await asyncio.Event().wait()

    @job("talk-at-once")
    async def talk_at_once(step: StepContext) -> None:
        async def branch(name: str, seconds: float) -> None:
            for number in range(3):
                step.log.info(f"{name}{number}")
                await step.run(f"{name}{number}", asyncio.sleep, seconds)

        await asyncio.gather(branch("a", 0.01), branch("b", 0.002))
        await step.run("stop", stop)

    run = begin(talk_at_once)
    driver.claim()
    until(lambda: stopped)
    driver.kill()
    drain()
    assert sorted(said(run)) == ["a0", "a1", "a2", "b0", "b1", "b2"]


def test_a_step_says_what_each_of_its_attempts_did() -> None:
    @job("step-talks", retries=Retry(max_attempts=2, initial=0))
    async def step_talks(step: StepContext) -> None:
        def call() -> None:
            number = current_attempt().number
            step.log.info(f"attempt {number}")
            step.progress(number, message=f"progress {number}")
            assert number == 2

        await step.run("call", call)

    run = begin(step_talks)
    drain()
    assert said(run) == ["attempt 1", "progress 1", "attempt 2", "progress 2"]
    marked = [(event.step, event.attempt) for event in events(run) if event.type == "log:write"]
    assert marked == [("call", 1), ("call", 2)]


def test_odd_messages_are_cleaned_and_bad_data_is_refused() -> None:
    @job("odd")
    async def odd(step: StepContext) -> None:
        step.log.info("a\x00b\ud800")
        step.log.info(7)  # type: ignore[arg-type]
        step.progress(1, 2, "x\x00")
        bad: list[Any] = [float("nan"), object(), "\x00"]
        for value in bad:
            with pytest.raises(StorageError, match="cannot be stored"):
                step.log.info("bad", value=value)
        with pytest.raises(StorageError, match="progress"):
            step.progress(float("inf"))

    run = begin(odd)
    drain()
    assert jobs.get(run.id).status == RunStatus.COMPLETED, jobs.get(run.id).error
    assert said(run) == ["a\ufffdb?", "7", "x\ufffd"]
