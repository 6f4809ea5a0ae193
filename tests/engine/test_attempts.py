"""Each invocation of a step's function is a row that says what it used and how it ended."""

import asyncio
from decimal import Decimal

import pytest

from runs import jobs
from runs.errors import StepFailed
from runs.jobs import Checkpoint, Emit, StepContext, current_attempt, job
from runs.models import Attempt, Event, RunStatus
from runs.testing import drain
from tests.engine.driver import Driver, begin, until


def test_usage_is_summed_over_calls_and_kept_per_attempt() -> None:
    @job("uses", retries=jobs.Retry(max_attempts=2, initial=0))
    async def uses(step: StepContext) -> None:
        async def call() -> None:
            attempt = current_attempt()
            attempt.usage(provider="local", model="small", input_tokens=10, output_tokens=1, cost=0.5)
            attempt.usage(model="large", input_tokens=5, cost=0.25)
            if attempt.number == 1:
                raise ValueError("paid for, too")

        await step.run("call", call)

    begin(uses)
    drain()
    used = {"provider": "local", "model": "large", "input_tokens": 15, "output_tokens": 1, "cost": 0.75}
    assert [one.usage for one in Attempt.objects.order_by("number")] == [used, used]


@pytest.mark.parametrize("figure", [float("nan"), object(), "a\x00b", "\ud800"])
def test_usage_that_cannot_be_stored_fails_its_step_and_nothing_else(figure: object) -> None:
    @job("misuses", retries=3)
    async def misuses(step: StepContext) -> str:
        try:
            await step.run("call", lambda: current_attempt().usage(cost=figure))
        except StepFailed as exc:
            return str(exc.error["type"])
        return "stored"

    run = begin(misuses)
    drain()
    assert jobs.get(run.id).output == "StorageError"
    assert Attempt.objects.get().outcome == "failed"


def test_money_as_decimals_is_stored() -> None:
    @job("pays")
    async def pays(step: StepContext) -> None:
        await step.run("call", lambda: current_attempt().usage(cost=Decimal("0.10")))

    run = begin(pays)
    drain()
    assert jobs.get(run.id).status == RunStatus.COMPLETED
    assert Attempt.objects.get().usage == {"cost": "0.10"}


def test_what_was_used_before_the_last_checkpoint_outlives_the_worker(driver: Driver) -> None:
    @job("dies")
    async def dies(step: StepContext) -> None:
        async def call(emit: Emit, checkpoint: Checkpoint) -> None:
            attempt = current_attempt()
            attempt.usage(input_tokens=10, output_tokens=1)
            await checkpoint("half")
            attempt.usage(output_tokens=1)
            if attempt.number == 1:
                await asyncio.Event().wait()

        await step.stream("call", call)

    run = begin(dies)
    driver.claim()
    until(lambda: Event.objects.filter(type="checkpoint:save").exists())
    driver.kill()
    drain()
    assert jobs.get(run.id).status == RunStatus.COMPLETED
    assert list(Attempt.objects.order_by("number").values_list("outcome", "usage")) == [
        ("lost", {"input_tokens": 10, "output_tokens": 1}),
        ("completed", {"input_tokens": 10, "output_tokens": 2}),
    ]


def test_there_is_no_current_attempt_outside_of_a_step() -> None:
    @job("asks")
    async def asks(step: StepContext) -> int:
        return current_attempt().number

    run = begin(asks)
    drain()
    error = jobs.get(run.id).error
    assert error["type"] == "LookupError"
    assert "inside a step function" in error["message"]


def test_steps_in_threads_know_their_attempt_too() -> None:
    @job("threads")
    async def threads(step: StepContext) -> tuple[str, int]:
        def call() -> tuple[str, int]:
            attempt = current_attempt()
            return attempt.step, attempt.number

        return await step.run("call", call)

    run = begin(threads)
    drain()
    assert jobs.get(run.id).output == ["call", 1]
