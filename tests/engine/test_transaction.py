"""`step.transaction`: the function's ORM writes and the step's record are one commit."""

import asyncio
from datetime import timedelta
from typing import Any

from runs import jobs
from runs.jobs import StepContext, SyncStepContext, current_attempt, job
from runs.models import RunStatus, Step
from runs.testing import advance, drain
from tests.engine.driver import begin, types
from tests.engine.written import groups, make, step_types


def test_the_row_and_the_record_are_there_once_and_the_replay_does_not_call_again() -> None:
    @job("writes")
    async def writes(step: StepContext) -> str:
        name = await step.transaction("make", make, "made")
        await step.sleep("nap", timedelta(days=1))
        return name

    run = begin(writes)
    drain()
    advance(timedelta(days=1))
    drain()
    assert (jobs.get(run.id).output, groups()) == ("made", ["made"])
    assert step_types(run)[:2] == ["step:start", "step:complete"]


def test_what_the_function_raises_takes_its_writes_back_and_is_retried() -> None:
    calls: list[int] = []

    def fails_first() -> str:
        calls.append(current_attempt().number)
        make(f"try {len(calls)}")
        if len(calls) < 3:
            raise ZeroDivisionError
        return "third"

    @job("retries")
    async def retries(step: StepContext) -> str:
        patient = step.options(retries=jobs.Retry(max_attempts=3, initial=0))
        return await patient.transaction("make", fails_first)

    run = begin(retries)
    drain()
    assert (jobs.get(run.id).output, groups(), calls) == ("third", ["try 3"], [1, 2, 3])
    assert step_types(run) == ["step:start", "step:retry"] * 2 + ["step:start", "step:complete"]


def test_a_result_that_cannot_be_stored_takes_the_writes_back() -> None:
    def bad() -> Any:
        make()
        return object()

    @job("bad-result")
    async def bad_result(step: StepContext) -> None:
        await step.transaction("make", bad)

    run = begin(bad_result)
    drain()
    assert (jobs.get(run.id).error["type"], groups()) == ("StepFailed", [])
    assert step_types(run) == ["step:start", "step:fail"]


def test_a_result_of_another_type_than_it_says_takes_the_writes_back() -> None:
    def lies() -> set[int]:
        make()
        return ["no number"]  # type: ignore[return-value]

    @job("lies")
    async def lying(step: StepContext) -> None:
        await step.transaction("make", lies)

    run = begin(lying)
    drain()
    assert (jobs.get(run.id).status, groups()) == (RunStatus.FAILED, [])
    assert Step.objects.get().status == "failed"


def test_a_step_inside_is_refused_and_steps_after_it_work() -> None:
    refused: list[str] = []

    @job("nests")
    def nests(step: SyncStepContext) -> str:
        def nested() -> None:
            try:
                step.run("inner", lambda: 1)
            except Exception as exc:
                refused.append(type(exc).__name__)

        step.transaction("outer", nested)
        step.state.set({"after": True})
        return str(step.run("after", lambda: "fine"))

    run = begin(nests)
    drain()
    assert jobs.get(run.id).output == "fine", jobs.get(run.id).error
    assert refused == ["StepOutsideJob"]
    assert not Step.objects.filter(name="inner").exists()


def test_other_writes_of_the_run_queue_behind_it_in_order() -> None:
    @job("noisy")
    async def noisy(step: StepContext) -> list[Any]:
        async def other(number: int) -> int:
            step.log.info(f"line {number}")
            return await step.run(f"other {number}", lambda: number)

        return list(await asyncio.gather(step.transaction("make", make), *(other(number) for number in range(5))))

    run = begin(noisy)
    drain()
    assert jobs.get(run.id).output == ["made", 0, 1, 2, 3, 4]
    assert types(run).count("step:complete") == 6
