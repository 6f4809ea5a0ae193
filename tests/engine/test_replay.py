"""A run that goes on elsewhere executes its function from the top and calls no recorded step again."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from runs import jobs
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
