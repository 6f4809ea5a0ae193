"""`step.sleep`: durable, without a worker, for years if need be."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from runs import clock, jobs
from runs.jobs import StepContext, SyncStepContext, job
from runs.models import Run, RunStatus, Step
from runs.testing import advance, claim_for, drain, frozen_worker
from tests.engine.driver import Driver, begin, events, types, until


def sleeper(name: str = "sleeper", by: timedelta | datetime = timedelta(days=6)) -> Run:
    @job(name)
    async def sleeps(step: StepContext) -> str:
        await step.sleep("nap", by)
        return "awake"

    return begin(sleeps)


def test_a_sleeping_run_holds_no_worker_and_wakes_at_its_time() -> None:
    run = sleeper()
    drain()
    asleep = jobs.get(run.id)
    assert (asleep.status, asleep.reason, asleep.lease_worker) == (RunStatus.WAITING, "sleep nap", None)
    advance(timedelta(days=5))
    assert drain() == []
    advance(timedelta(days=1))
    assert drain() == [run.id]
    assert jobs.get(run.id).output == "awake"
    assert [type_ for type_ in types(run) if type_.startswith("step:")] == ["step:start", "step:complete"]


def test_a_sleep_of_years_is_fine() -> None:
    run = sleeper(by=datetime(2060, 1, 1, tzinfo=UTC))
    drain()
    assert jobs.get(run.id).due_at == datetime(2060, 1, 1, tzinfo=UTC)
    advance(datetime(2060, 1, 2, tzinfo=UTC) - clock.now())
    drain()
    assert jobs.get(run.id).output == "awake"


def test_a_time_without_a_zone_is_refused_and_nothing_is_recorded() -> None:
    run = sleeper(by=datetime(2060, 1, 1))  # noqa: DTZ001
    drain()
    assert jobs.get(run.id).error["type"] == "InvalidOption"
    assert not Step.objects.exists()


def test_a_sleep_that_a_dead_worker_began_ends_at_the_same_time(driver: Driver, settings: Any) -> None:
    settings.RUNS_UNLOAD_AFTER = 60
    run = sleeper(by=timedelta(hours=1))
    driver.claim()
    until(lambda: Step.objects.filter(run=run).exists())
    wake_at = Step.objects.get().wake_at
    driver.kill()
    settings.RUNS_UNLOAD_AFTER = 0.05
    advance(timedelta(minutes=30))
    drain()
    assert Step.objects.get().wake_at == wake_at
    assert jobs.get(run.id).due_at == wake_at
    advance(timedelta(minutes=30))
    drain()
    assert jobs.get(run.id).output == "awake"


def test_several_sleeps_wake_the_run_at_the_earliest() -> None:
    @job("naps")
    async def naps(step: StepContext) -> list[int]:
        async def nap(days: int) -> int:
            await step.sleep(f"nap {days}", timedelta(days=days))
            return days

        return list(await asyncio.gather(nap(3), nap(1), nap(2)))

    run = begin(naps)
    for _ in range(3):
        drain()
        assert jobs.get(run.id).status == RunStatus.WAITING
        advance(timedelta(days=1))
    drain()
    assert jobs.get(run.id).output == [3, 1, 2]
    woken = [event.step for event in events(run) if event.type == "step:complete"]
    assert woken == ["nap 1", "nap 2", "nap 3"]


def test_a_cancelled_sleep_does_not_wake() -> None:
    run = sleeper()
    drain()
    jobs.cancel(run.id)
    advance(timedelta(days=7))
    assert drain() == []
    assert Step.objects.get().status == "cancelled"


@pytest.mark.parametrize("seconds", [0, -5])
def test_a_time_that_has_passed_is_no_wait(seconds: int) -> None:
    run = sleeper(by=timedelta(seconds=seconds))
    drain()
    assert jobs.get(run.id).output == "awake"
    assert "run:wait" not in types(run)


def test_a_plain_function_sleeps_too() -> None:
    calls: list[int] = []

    @job("plain")
    def plain(step: SyncStepContext) -> str:
        step.run("before", lambda: calls.append(1))
        step.sleep("nap", timedelta(days=1))
        return "awake"

    run = begin(plain)
    drain()
    assert jobs.get(run.id).lease_worker is None
    advance(timedelta(days=1))
    drain()
    assert (jobs.get(run.id).output, calls) == ("awake", [1])


def test_a_worker_that_dies_right_after_the_alarm_leaves_the_run_to_the_next() -> None:
    """The claim has consumed the time it was due at: from then on the lease stands for it, and a dead lease is due."""

    @job("woken")
    async def woken(step: StepContext) -> str:
        await step.sleep("nap", timedelta(days=1))
        return "awake"

    run = begin(woken)
    drain()
    advance(timedelta(days=1))
    [claimed] = claim_for(worker := frozen_worker())
    assert (claimed.id, jobs.get(run.id).due_at) == (run.id, None)
    worker.delete()
    drain()
    assert jobs.get(run.id).output == "awake"
