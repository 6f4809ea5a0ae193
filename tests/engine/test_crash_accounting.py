"""Claims without a recorded step are counted, so that one poisonous run does not kill worker after worker."""

import asyncio
from datetime import timedelta

import pytest

from runs import jobs
from runs.engine.claim import claim_due
from runs.jobs import StepContext, job
from runs.models import Attempt, Run, RunStatus, Step
from runs.testing import claim_for, drain, frozen_worker
from tests.engine.driver import Driver, begin, events, types, until


def crash(times: int) -> list[Run]:
    """Claim and die, as often."""
    taken: list[Run] = []
    for _ in range(times):
        worker = frozen_worker()
        taken += claim_for(worker)
        worker.delete()
    return taken


def test_five_claims_without_progress_pause_the_run() -> None:
    @job("poisonous")
    async def poisonous(step: StepContext) -> str:
        return "cured"

    run = begin(poisonous)
    assert [one.claims for one in crash(5)] == [1, 2, 3, 4, 5]
    assert crash(1) == []
    paused = jobs.get(run.id)
    assert (paused.status, paused.reason, paused.lease_worker) == (RunStatus.PAUSED, "crash_loop", None)
    assert types(run) == ["run:queued", "run:start", *["run:recover"] * 4, "run:pause"]
    assert [event.data["claims"] for event in events(run)[2:]] == [2, 3, 4, 5, 5]
    assert drain() == []
    jobs.resume(run.id)
    assert jobs.get(run.id).claims == 0
    drain()
    assert jobs.get(run.id).output == "cured"


def test_a_poisonous_run_does_not_hold_up_the_others() -> None:
    @job("poisonous")
    async def poisonous(step: StepContext) -> None: ...

    begin(poisonous)
    crash(5)
    good = begin(poisonous)
    assert [run.id for run in claim_due(frozen_worker().id, [poisonous.key], 32)] == [good.id]


def test_a_recorded_step_starts_the_count_again(driver: Driver) -> None:
    @job("progresses")
    async def progresses(step: StepContext) -> None:
        await step.run("first", lambda: 1)
        await step.run("second", asyncio.Event().wait)

    run = begin(progresses)
    crash(4)
    [claimed] = driver.claim()
    assert claimed.claims == 5
    until(lambda: Step.objects.filter(name="first", status="completed").exists())
    driver.kill()
    assert jobs.get(run.id).claims == 0
    assert crash(1)[0].claims == 1


def test_orderly_unloads_are_no_crashes() -> None:
    @job("waits", retries=jobs.Retry(max_attempts=9, initial=60, factor=1, jitter=0))
    async def waits(step: StepContext) -> None:
        await step.run("fails", lambda: 1 / 0)

    run = begin(waits)
    drain()
    for _ in range(7):
        Run.objects.filter(id=run.id).update(due_at=jobs.get(run.id).created_at)
        assert drain() == [run.id]
    assert jobs.get(run.id).status == RunStatus.WAITING
    assert Attempt.objects.count() == 1, "woken before its time it goes on waiting"


def test_the_start_of_a_step_is_written_first_after_a_crash_and_by_streams(driver: Driver) -> None:
    seen: list[tuple[str, str]] = []

    def status_in(name: str) -> None:
        seen.append((name, Step.objects.get(name=name).status if Step.objects.filter(name=name).exists() else "none"))

    @job("traces")
    async def traces(step: StepContext) -> None:
        await step.stream("stream", lambda emit: status_in("stream"))
        await step.run("plain", lambda: status_in("plain"))

    begin(traces)
    crash(1)
    driver.claim()
    until(lambda: len(seen) == 2)
    assert seen == [("stream", "running"), ("plain", "running")]


def test_a_quick_step_costs_one_write_and_a_slow_one_is_seen_running(driver: Driver) -> None:
    go_on = asyncio.Event()

    @job("quick-and-slow")
    async def quick_and_slow(step: StepContext) -> None:
        async def quick() -> int:
            return 1

        await step.run("quick", quick)
        await step.run("slow", go_on.wait)

    run = begin(quick_and_slow)
    driver.claim()
    until(lambda: Step.objects.filter(name="slow", status="running").exists())
    assert jobs.get(run.id).write_no == 2
    assert Attempt.objects.get(step_name="slow").outcome == "open"
    driver.call(go_on.set)
    until(lambda: jobs.get(run.id).has_ended)
    assert [str(event.type) for event in events(run) if event.step == "quick"] == ["step:start", "step:complete"]


@pytest.mark.parametrize("limit", [1, 3])
def test_the_number_of_claims_is_a_setting(settings: object, limit: int) -> None:
    settings.RUNS_MAX_CLAIMS = limit  # type: ignore[attr-defined]

    @job("poisonous")
    async def poisonous(step: StepContext) -> None: ...

    run = begin(poisonous, run_at=None)
    assert len(crash(limit + 1)) == limit
    assert jobs.get(run.id).status == RunStatus.PAUSED
    assert timedelta(0) <= timedelta(milliseconds=jobs.get(run.id).active_ms)
