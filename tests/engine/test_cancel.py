"""A cancel ends the run at once, whatever its code is doing, and wins over a late completion."""

import asyncio
import threading
import time
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections

from runs import jobs
from runs.engine.execute import Outcome
from runs.errors import RunAlreadyEnded, RunNotFound
from runs.jobs import Actor, Retry, StepContext, SyncStepContext, current_attempt, job
from runs.models import Attempt, Audit, Run, RunStatus, Step
from runs.testing import drain
from tests.engine.driver import Driver, begin, events, types, until

ADA = Actor("user", "7", "ada")


def lose_what_is_cancelled(driver: Driver) -> None:
    """What a driver's watch does when it sees another token."""
    for execution in driver.executions:
        driver.call(execution.lose)


def assert_cancelled(run: Run) -> None:
    ended = jobs.get(run.id)
    assert (ended.status, ended.lease_worker, ended.due_at) == (RunStatus.CANCELLED, None, None)
    assert ended.finished_at is not None
    assert types(run)[-1] == "run:cancel"
    assert types(run).count("run:cancel") == 1
    assert not Step.objects.filter(run=run, status__in=["running", "retrying"]).exists()
    assert not Attempt.objects.filter(run=run, outcome="open").exists()


def test_a_queued_run_is_cancelled_and_never_driven() -> None:
    @job("never")
    async def never(step: StepContext) -> None: ...

    run = begin(never)
    jobs.cancel(run.id, actor=ADA, reason="not needed")
    assert drain() == []
    assert_cancelled(run)
    assert types(run) == ["run:queued", "run:cancel"]
    assert events(run)[-1].data == {"actor": {"kind": "user", "id": "7", "name": "ada"}, "reason": "not needed"}
    audit = Audit.objects.get(action="run.cancel")
    assert (audit.actor_name, audit.target, audit.data) == ("ada", str(run.id), {"reason": "not needed"})


def test_a_waiting_run_is_cancelled_with_its_step() -> None:
    @job("waits", retries=Retry(max_attempts=2, initial=3600, maximum=3600))
    async def waits(step: StepContext) -> None:
        def fail() -> None:
            raise ValueError

        await step.run("fail", fail)

    run = begin(waits)
    drain()
    assert jobs.get(run.id).status == RunStatus.WAITING
    jobs.cancel(run.id)
    assert_cancelled(run)
    assert Step.objects.get().status == "cancelled"
    assert types(run)[-2:] == ["step:cancel", "run:cancel"]


@pytest.mark.parametrize("swallows", [False, True], ids=["plain", "swallowing"])
def test_a_running_async_step_gets_cancelled_error_and_writes_nothing_more(driver: Driver, swallows: bool) -> None:
    met: list[str] = []

    @job("runs-long")
    async def runs_long(step: StepContext) -> str:
        async def work() -> str:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                met.append("cancelled")
                if not swallows:
                    raise
            return "late"

        await step.run("work", work)
        await step.run("next", lambda: met.append("next"))
        step.log.info("still here")
        return "late"

    run = begin(runs_long)
    driver.claim()
    until(lambda: Step.objects.filter(status="running").exists())
    jobs.cancel(run.id)
    assert_cancelled(run)
    before = types(run)
    lose_what_is_cancelled(driver)
    assert driver.outcome(run) is Outcome.LOST
    assert met == ["cancelled"]
    assert types(run) == before


def test_a_running_sync_step_sees_its_flag(driver: Driver) -> None:
    met: list[str] = []
    going = threading.Event()

    def work() -> str:
        going.set()
        deadline = time.monotonic() + 60
        while not current_attempt().cancelled and time.monotonic() < deadline:
            time.sleep(0.002)
        met.append("seen" if current_attempt().cancelled else "not seen")
        return "late"

    @job("sync-in-async")
    async def one(step: StepContext) -> None:
        await step.run("work", work)

    @job("sync")
    def two(step: SyncStepContext) -> None:
        step.run("work", work)
        met.append("never")

    for definition in (one, two):
        going.clear()
        run = begin(definition)
        driver.claim()
        assert going.wait(60)
        jobs.cancel(run.id)
        lose_what_is_cancelled(driver)
        assert driver.outcome(run) is Outcome.LOST
        assert_cancelled(run)
    until(lambda: len(met) == 2)
    assert met == ["seen", "seen"]


def test_a_late_completion_loses(driver: Driver) -> None:
    finish = threading.Event()

    @job("finishes-late")
    async def finishes_late(step: StepContext) -> str:
        async def work() -> str:
            while not finish.is_set():
                await asyncio.sleep(0.002)
            return "done"

        return await step.run("work", work)

    run = begin(finishes_late)
    driver.claim()
    until(lambda: Step.objects.filter(status="running").exists())
    jobs.cancel(run.id)
    before = types(run)
    finish.set()
    assert driver.outcome(run) is Outcome.LOST
    assert_cancelled(run)
    assert types(run) == before
    assert Step.objects.get().output is None


def test_a_run_between_two_attempts_that_is_loaded_is_cancelled(driver: Driver, settings: Any) -> None:
    settings.RUNS_UNLOAD_AFTER = 60

    @job("between", retries=Retry(max_attempts=2, initial=3600, maximum=3600))
    async def between(step: StepContext) -> None:
        def fail() -> None:
            raise ValueError

        await step.run("fail", fail)

    run = begin(between)
    driver.claim()
    until(lambda: Step.objects.filter(status="retrying").exists())
    jobs.cancel(run.id)
    lose_what_is_cancelled(driver)
    assert driver.outcome(run) is Outcome.LOST
    assert_cancelled(run)


def test_all_branches_of_a_cancelled_run_end(driver: Driver) -> None:
    ended: list[str] = []

    @job("many-branches")
    async def many_branches(step: StepContext) -> None:
        async def work(name: str) -> None:
            try:
                await asyncio.Event().wait()
            finally:
                ended.append(name)

        await asyncio.gather(*[step.run(name, work, name) for name in "abc"])

    run = begin(many_branches)
    driver.claim()
    until(lambda: Step.objects.filter(status="running").count() == 3)
    jobs.cancel(run.id)
    lose_what_is_cancelled(driver)
    assert driver.outcome(run) is Outcome.LOST
    assert sorted(ended) == ["a", "b", "c"]
    assert types(run).count("step:cancel") == 3
    assert_cancelled(run)


def test_code_that_will_not_end_is_reported_and_the_run_is_cancelled_all_the_same(
    driver: Driver, settings: Any
) -> None:
    settings.RUNS_UNLOAD_GRACE_SECONDS = 0.1
    release = threading.Event()

    @job("stubborn")
    async def stubborn(step: StepContext) -> None:
        while not release.is_set():
            try:
                await asyncio.sleep(0.01)
            except asyncio.CancelledError:
                continue

    run = begin(stubborn)
    driver.claim()
    jobs.cancel(run.id)
    lose_what_is_cancelled(driver)
    assert driver.outcome(run) is Outcome.LOST
    release.set()
    assert_cancelled(run)
    assert "does not stop after 0.1 s" in driver.leaks[0]


def test_ended_and_unknown_runs_refuse_a_cancel() -> None:
    @job("quick")
    async def quick(step: StepContext) -> None: ...

    run = begin(quick)
    drain()
    before = types(run)
    with pytest.raises(RunAlreadyEnded, match="is completed and cannot be cancelled"):
        jobs.cancel(run.id)
    assert types(run) == before
    for unknown in ("0", "no id", str(run.id)[:-1], "\x00", "00000000-0000-0000-0000-000000000000", 7, None):
        with pytest.raises(RunNotFound):
            jobs.cancel(unknown)  # type: ignore[arg-type]


def test_of_two_cancels_at_once_one_wins() -> None:
    @job("idle")
    async def idle(step: StepContext) -> None: ...

    run = begin(idle)
    met: list[str] = []

    def cancel() -> None:
        try:
            jobs.cancel(run.id)
            met.append("won")
        except RunAlreadyEnded:
            met.append("refused")
        finally:
            connections.close_all()

    threads = [threading.Thread(target=cancel) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(met) == ["refused"] * 4 + ["won"]
    assert_cancelled(run)


def test_the_time_worked_until_the_cancel_is_counted(driver: Driver) -> None:
    @job("works")
    async def works(step: StepContext) -> None:
        await step.run("work", asyncio.Event().wait)

    run = begin(works)
    driver.claim()
    until(lambda: Step.objects.filter(status="running").exists())
    jobs.cancel(run.id)
    assert timedelta(0) < timedelta(milliseconds=jobs.get(run.id).active_ms) < timedelta(seconds=30)
