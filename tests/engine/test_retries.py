"""A failed attempt is followed by another as the policy says; each is a row."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from runs import jobs
from runs.engine.store.transitions import Entry, Written
from runs.errors import InvalidOption
from runs.jobs import Retry, StepContext, SyncStepContext, current_attempt, job
from runs.models import Attempt, Run, RunStatus, Step
from runs.testing import advance, drain
from tests.engine.driver import Driver, begin, events, until

SOON = Retry(max_attempts=3, initial=0.01, factor=1, jitter=0)


def flaky(failures: int, error: type[BaseException] = ValueError) -> Any:
    async def call() -> str:
        if current_attempt().number <= failures:
            raise error(f"attempt {current_attempt().number}")
        return f"attempt {current_attempt().number}"

    return call


def of_step(run: Run) -> list[str]:
    return [str(event.type) for event in events(run) if event.step]


def outcomes() -> list[str]:
    return list(Attempt.objects.order_by("number").values_list("outcome", flat=True))


def test_a_step_that_fails_twice_succeeds_at_its_third_attempt() -> None:
    @job("flaky", retries=SOON)
    async def flaky_job(step: StepContext) -> str:
        return await step.run("flaky", flaky(2))

    run = begin(flaky_job)
    drain()
    assert jobs.get(run.id).output == "attempt 3"
    assert of_step(run) == ["step:start", "step:retry"] * 2 + ["step:start", "step:complete"]
    retries = [event.data for event in events(run) if event.type == "step:retry"]
    assert [(data["delay_seconds"], data["max_attempts"]) for data in retries] == [(0.01, 3), (0.01, 3)]
    assert outcomes() == ["failed", "failed", "completed"]
    assert all("ValueError" in one.error["traceback"] for one in Attempt.objects.filter(outcome="failed"))


def test_the_attempts_used_up_fail_the_step_and_the_run() -> None:
    @job("hopeless", retries=SOON)
    async def hopeless(step: StepContext) -> str:
        return await step.run("flaky", flaky(9))

    run = begin(hopeless)
    drain()
    ended = jobs.get(run.id)
    assert (ended.status, ended.error["type"]) == (RunStatus.FAILED, "StepFailed")
    assert "attempt 3" in ended.error["message"]
    assert outcomes() == ["failed"] * 3


@pytest.mark.parametrize("error", [KeyError, SystemExit, KeyboardInterrupt, GeneratorExit, StopAsyncIteration])
def test_errors_named_in_unless_are_not_retried_and_nothing_kills_the_worker(error: type[BaseException]) -> None:
    @job("not-retried")
    async def not_retried(step: StepContext) -> str:
        policy = Retry(max_attempts=3, initial=0, unless=(error,))
        return await step.options(retries=policy).run("flaky", flaky(9, error))

    run = begin(not_retried)
    drain()
    assert jobs.get(run.id).status == RunStatus.FAILED
    assert outcomes() == ["failed"]


def test_a_step_has_the_policy_of_its_options_and_others_that_of_the_job() -> None:
    @job("policies", retries=2)
    async def policies(step: StepContext) -> str:
        return await step.options(retries=SOON).run("flaky", flaky(2))

    run = begin(policies)
    drain()
    assert jobs.get(run.id).output == "attempt 3"


def test_a_long_retry_wait_unloads_the_run_and_goes_on_when_it_is_due() -> None:
    @job("patient", retries=Retry(max_attempts=2, initial=3600, maximum=3600, jitter=0))
    async def patient(step: StepContext) -> str:
        return await step.run("flaky", flaky(1))

    run = begin(patient)
    drain()
    waiting = jobs.get(run.id)
    assert (waiting.status, waiting.reason) == (RunStatus.WAITING, "retry of step flaky")
    assert waiting.lease_worker is None
    assert drain() == []
    advance(timedelta(hours=1, seconds=1))
    assert drain() == [run.id]
    assert jobs.get(run.id).output == "attempt 2"


def test_failures_count_and_crashes_do_not(driver: Driver) -> None:
    numbers: list[int] = []

    async def call() -> str:
        numbers.append(current_attempt().number)
        if len(numbers) == 1:
            await asyncio.Event().wait()
        if len(numbers) == 2:
            raise ValueError("the one that counts")
        return "done"

    @job("crashes", retries=Retry(max_attempts=2, initial=0))
    async def crashes(step: StepContext) -> str:
        return await step.run("call", call)

    run = begin(crashes)
    driver.claim()
    until(lambda: Attempt.objects.filter(outcome="open").exists())
    driver.kill()
    drain()
    assert jobs.get(run.id).output == "done"
    assert numbers == [1, 2, 3]
    assert outcomes() == ["lost", "failed", "completed"]


def who_gives_up(started: "list[asyncio.Task[str]]") -> Any:
    @job("gives-up", retries=Retry(max_attempts=2, initial=3600, maximum=3600, jitter=0))
    async def gives_up(step: StepContext) -> str:
        started.append(asyncio.create_task(step.run("flaky", flaky(1))))
        await asyncio.wait(started)
        return "gave up" if started[0].cancelled() else "never"

    return gives_up


def test_a_step_that_the_job_cancels_between_two_attempts_is_cancelled(driver: Driver, settings: Any) -> None:
    settings.RUNS_UNLOAD_AFTER = 60
    started: list[asyncio.Task[str]] = []

    run = begin(who_gives_up(started))
    driver.claim()
    until(lambda: Step.objects.filter(status="retrying").exists())
    driver.call(started[0].cancel)
    until(lambda: jobs.get(run.id).has_ended)
    assert jobs.get(run.id).output == "gave up"
    assert Step.objects.get().status == "cancelled"
    assert of_step(run) == ["step:start", "step:retry", "step:cancel"]
    assert outcomes() == ["failed"]


def test_a_cancel_while_the_retry_is_written_leaves_the_attempt_failed(
    driver: Driver, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.RUNS_UNLOAD_AFTER = 60
    started: list[asyncio.Task[str]] = []
    commit = driver.world.writer.commit

    def cancelled_meanwhile(entries: list[Entry]) -> dict[UUID, Written]:
        written = commit(entries)
        if any(row.status == "retrying" for entry in entries for row in entry.step_rows()):
            driver.call(started[0].cancel)
        return written

    monkeypatch.setattr(driver.world.writer, "commit", cancelled_meanwhile)

    run = begin(who_gives_up(started))
    driver.claim()
    until(lambda: jobs.get(run.id).has_ended)
    assert of_step(run) == ["step:start", "step:retry", "step:cancel"]
    assert outcomes() == ["failed"]


def test_a_run_that_fails_leaves_no_step_that_waits_for_its_retry() -> None:
    @job("one-fails", retries=Retry(max_attempts=2, initial=3600, maximum=3600, unless=(KeyError,)))
    async def one_fails(step: StepContext) -> None:
        async def late() -> None:
            await asyncio.sleep(0.03)
            raise KeyError("late")

        await asyncio.gather(step.run("waits", flaky(1)), step.run("fails", late))

    run = begin(one_fails)
    drain()
    assert jobs.get(run.id).status == RunStatus.FAILED
    assert dict(Step.objects.values_list("name", "status")) == {"waits": "stopped", "fails": "failed"}
    assert "step:cancel" in of_step(run)


def test_a_sync_job_is_retried_and_waits_without_a_thread() -> None:
    @job("patient-sync", retries=Retry(max_attempts=2, initial=3600, maximum=3600))
    def patient(step: SyncStepContext) -> int:
        def call() -> int:
            if current_attempt().number == 1:
                raise ValueError
            return current_attempt().number

        found: int = step.run("call", call)
        return found

    run = begin(patient)
    drain()
    assert jobs.get(run.id).status == RunStatus.WAITING
    advance(timedelta(hours=2))
    drain()
    assert jobs.get(run.id).output == 2


def test_delays_grow_to_their_maximum_and_never_overflow() -> None:
    policy = Retry(max_attempts=5000, initial=1, factor=2, maximum=60, jitter=0)
    assert [policy.delay_seconds(failures) for failures in (1, 2, 3, 7, 4000)] == [1, 2, 4, 60, 60]
    spread = {Retry(max_attempts=2, initial=10, jitter=0.2).delay_seconds(1) for _ in range(50)}
    assert all(8 <= delay <= 12 for delay in spread)
    assert len(spread) > 1


@pytest.mark.parametrize("policy", [{"max_attempts": 0}, {"initial": -1}, {"jitter": 2}])
def test_a_policy_that_makes_no_sense_is_refused(policy: dict[str, Any]) -> None:
    with pytest.raises(InvalidOption):
        Retry(**policy)
