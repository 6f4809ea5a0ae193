"""Pause holds a run at its next step boundary; what comes meanwhile waits for it."""

import asyncio
import threading
from datetime import timedelta
from typing import Any

import pytest

from runs import clock, jobs
from runs.engine.watch import fetch_leases
from runs.errors import RunAlreadyEnded, RunNotPaused
from runs.jobs import StepContext, job
from runs.models import Audit, Run, RunStatus, Step
from runs.testing import advance, claim_for, drain, frozen_worker
from tests.engine.driver import Driver, begin, events, types, until


class Working:
    """A run in the middle of its first of two steps."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.go = threading.Event()

        @job("working")
        async def working(step: StepContext) -> str:
            await step.run("first", self.work)
            await step.run("second", lambda: self.calls.append("second"))
            return "done"

        self.run = begin(working)

    async def work(self) -> None:
        self.calls.append("first")
        await asyncio.to_thread(self.go.wait, 10)

    def see(self, driver: Driver) -> None:
        """What the worker's watch does each second."""
        driver.call(driver.executions[-1].see, fetch_leases([self.run.id])[self.run.id])


@pytest.fixture
def working(driver: Driver) -> Working:
    made = Working()
    driver.claim()
    until(lambda: made.calls)
    return made


def test_a_running_step_ends_before_the_pause_and_no_other_begins(driver: Driver, working: Working) -> None:
    olga = jobs.Actor("user", "7", "olga")
    jobs.pause(working.run.id, reason="look at it", actor=olga)
    working.see(driver)
    assert jobs.get(working.run.id).status == RunStatus.RUNNING
    working.go.set()
    assert driver.outcome(working.run).value == "paused"
    paused = jobs.get(working.run.id)
    assert (paused.status, paused.reason, paused.lease_worker) == (RunStatus.PAUSED, "look at it", None)
    assert working.calls == ["first"]
    assert events(working.run)[-1].data == {"actor": olga.as_data(), "reason": "look at it"}
    assert Step.objects.get().status == "completed"
    assert drain() == []
    jobs.resume(working.run.id)
    drain()
    assert jobs.get(working.run.id).output == "done"
    assert working.calls == ["first", "second"]


def test_a_pause_that_is_taken_back_in_time_pauses_nothing(driver: Driver, working: Working) -> None:
    jobs.pause(working.run.id)
    working.see(driver)
    jobs.resume(working.run.id)
    working.see(driver)
    working.go.set()
    assert driver.outcome(working.run).value == "ended"
    assert "run:pause" not in types(working.run)
    assert list(Audit.objects.values_list("action", flat=True)) == ["run.resume", "run.pause", "run.start"]


def test_a_pause_that_is_taken_back_unseen_hands_the_run_back(driver: Driver, working: Working) -> None:
    jobs.pause(working.run.id)
    working.see(driver)
    jobs.resume(working.run.id)
    working.go.set()
    assert driver.outcome(working.run).value == "released"
    drain()
    assert jobs.get(working.run.id).output == "done"
    assert working.calls == ["first", "second"]


def test_a_signal_does_not_undo_a_pause(driver: Driver, working: Working) -> None:
    jobs.pause(working.run.id)
    working.see(driver)
    jobs.signal(working.run.id, "hello")
    working.go.set()
    driver.outcome(working.run)
    drain()
    assert jobs.get(working.run.id).status == RunStatus.PAUSED
    assert working.calls == ["first"]


def test_a_pause_outlives_the_worker_that_should_obey_it(driver: Driver, working: Working) -> None:
    jobs.pause(working.run.id, actor=(olga := jobs.Actor("user", "7", "olga")), reason="too dear")
    driver.call(driver.executions[0].lose)
    working.go.set()
    driver.kill()
    drain()
    paused = jobs.get(working.run.id)
    assert (paused.status, paused.reason) == (RunStatus.PAUSED, "too dear")
    assert events(working.run)[-1].data == {"actor": olga.as_data(), "reason": "too dear"}
    assert working.calls == ["first"]


def waiter() -> Run:
    @job("waits")
    async def waits(step: StepContext) -> list[Any]:
        found = [await step.wait_for_signal("go")]
        await step.sleep("nap", timedelta(days=1))
        return found

    return begin(waits)


def test_signals_and_timers_that_come_while_paused_are_there_after_it() -> None:
    run = waiter()
    drain()
    jobs.pause(run.id, reason="stop")
    assert jobs.get(run.id).status == RunStatus.PAUSED
    jobs.signal(run.id, "go", 1)
    assert drain() == []
    jobs.resume(run.id)
    drain()
    jobs.pause(run.id)
    advance(timedelta(days=2))
    assert drain() == []
    jobs.resume(run.id)
    drain()
    assert jobs.get(run.id).output == [1]
    assert types(run).count("run:pause") == 2


def test_a_run_that_goes_idle_does_not_miss_its_pause(driver: Driver) -> None:
    """The pause commits while the run is on its way to `waiting`."""
    run = waiter()
    driver.claim()
    execution = until(lambda: driver.executions)[0]
    until(lambda: Step.objects.exists())
    jobs.pause(run.id)
    until(lambda: driver.outcomes or (driver.call(execution.see, fetch_leases([run.id])[run.id]), False)[1])
    drain()
    assert jobs.get(run.id).status == RunStatus.PAUSED


def test_a_queued_run_is_paused_at_once_and_keeps_its_time() -> None:
    at = clock.now() + timedelta(hours=1)

    @job("later")
    async def later(step: StepContext) -> str:
        return "done"

    run = begin(later, run_at=at)
    assert jobs.pause(run.id).status == RunStatus.PAUSED
    jobs.resume(run.id)
    assert drain() == []
    advance(timedelta(hours=1))
    drain()
    assert jobs.get(run.id).output == "done"


def test_pausing_twice_and_resuming_what_is_not_paused() -> None:
    run = waiter()
    with pytest.raises(RunNotPaused):
        jobs.resume(run.id)
    jobs.pause(run.id)
    before = types(run)
    jobs.pause(run.id)
    assert types(run) == before
    jobs.cancel(run.id)
    with pytest.raises(RunAlreadyEnded):
        jobs.pause(run.id)
    with pytest.raises(RunNotPaused):
        jobs.resume(run.id)
    assert [event.data["actor"]["kind"] for event in events(run)] == ["system"] * 3


def test_a_claimed_run_of_a_dead_worker_is_paused_without_a_call(driver: Driver) -> None:
    working = Working()
    claim_for(worker := frozen_worker())
    jobs.pause(working.run.id)
    worker.delete()
    drain()
    assert (jobs.get(working.run.id).status, working.calls) == (RunStatus.PAUSED, [])
