"""Steps and runs that take too long are stopped; waiting does not count."""

import asyncio
import threading
import time
from datetime import timedelta
from typing import Any

from runs import jobs
from runs.engine.execute import Outcome
from runs.errors import StepFailed
from runs.jobs import Retry, StepContext, SyncStepContext, current_attempt, job
from runs.models import Attempt, Run, RunStatus, Step
from runs.testing import advance, drain
from tests.engine.driver import Driver, begin, events, until

SHORT = timedelta(milliseconds=200)


def test_a_step_that_takes_too_long_fails_and_is_retried() -> None:
    @job("slow-step")
    async def slow_step(step: StepContext) -> int:
        async def call() -> int:
            if current_attempt().number == 1:
                await asyncio.Event().wait()
            return current_attempt().number

        policy = Retry(max_attempts=20, initial=0)  # a second one may be too slow as well, on a busy machine
        return await step.options(timeout=SHORT, retries=policy).run("call", call)

    run = begin(slow_step)
    drain()
    assert jobs.get(run.id).output >= 2
    first = Attempt.objects.get(number=1)
    assert first.error["type"] == "StepTimeout"
    assert "0.2 s" in first.error["message"]


def test_a_timeout_error_of_the_step_s_own_is_its_own() -> None:
    @job("own-timeout")
    async def own_timeout(step: StepContext) -> str:
        async def call() -> None:
            raise TimeoutError("mine")

        try:
            await step.options(timeout=timedelta(hours=1)).run("call", call)
        except StepFailed as exc:
            return f"{exc.error['type']}: {exc.error['message']}"
        return ""

    run = begin(own_timeout)
    drain()
    assert jobs.get(run.id).output == "TimeoutError: mine"


def test_a_sync_step_sees_that_its_time_is_over() -> None:
    stopped: list[bool] = []

    def call() -> None:
        deadline = time.monotonic() + 60
        while not current_attempt().cancelled and time.monotonic() < deadline:
            time.sleep(0.002)
        stopped.append(current_attempt().cancelled)

    @job("slow-sync-step")
    async def slow_sync_step(step: StepContext) -> None:
        await step.options(timeout=SHORT).run("call", call)

    @job("slow-step-of-sync-job")
    def slow_step_of_sync_job(step: SyncStepContext) -> None:
        step.options(timeout=SHORT).run("call", call)

    runs = [begin(slow_sync_step), begin(slow_step_of_sync_job)]
    drain()
    assert stopped == [True, True]
    for run in runs:
        assert "StepTimeout" in jobs.get(run.id).error["message"]


def test_a_sync_step_that_ignores_its_flag_is_reported(driver: Driver, settings: Any) -> None:
    settings.RUNS_SYNC_ABORT_GRACE_SECONDS = 0.1
    release = threading.Event()

    @job("ignores")
    async def ignores(step: StepContext) -> str:
        try:
            await step.options(timeout=SHORT).run("call", release.wait, 20)
        except StepFailed:
            await step.run("next", asyncio.sleep, 0.3)
            return "went on"
        return ""

    run = begin(ignores)
    driver.claim()
    reported = until(lambda: driver.leaks)
    release.set()
    assert "ignores current_attempt().cancelled for 0.1 s" in reported[0]
    assert driver.outcome(run) is Outcome.ENDED
    assert jobs.get(run.id).output == "went on"


def test_a_run_that_works_too_long_fails_with_its_open_steps() -> None:
    @job("slow-run", timeout=SHORT)
    async def slow_run(step: StepContext) -> str:
        try:
            await step.run("call", asyncio.Event().wait)
        except BaseException:
            return "swallowed"
        return ""

    run = begin(slow_run)
    drain()
    ended = jobs.get(run.id)
    assert (ended.status, ended.error["type"], ended.output) == (RunStatus.FAILED, "RunTimeout", None)
    assert Step.objects.get().status == "stopped"
    assert Attempt.objects.get().outcome == "cancelled"
    [cancelled] = [event for event in events(run) if event.type == "step:cancel"]
    assert cancelled.data == {"stopped": True}, "so that an open page shows the step as a reloaded one does"


def test_waiting_does_not_count_for_the_timeout_of_a_run() -> None:
    @job("waits-long", timeout=timedelta(minutes=10), retries=Retry(max_attempts=2, initial=3600, maximum=3600))
    async def waits_long(step: StepContext) -> int:
        return await step.run("call", lambda: 1 // (current_attempt().number - 1))

    run = begin(waits_long)
    drain()
    assert jobs.get(run.id).active_ms < 60_000
    advance(timedelta(hours=2))
    drain()
    assert jobs.get(run.id).output == 1
    assert jobs.get(run.id).active_ms < 60_000


def test_the_time_of_earlier_claims_counts_for_the_timeout_of_a_run(driver: Driver) -> None:
    @job("worked-long", timeout=timedelta(minutes=10))
    async def worked_long(step: StepContext) -> None:
        await step.run("call", asyncio.Event().wait)

    run = begin(worked_long)
    Run.objects.filter(id=run.id).update(active_ms=600_000)
    drain()
    assert jobs.get(run.id).error["type"] == "RunTimeout"


def test_a_sync_run_that_works_too_long_fails_at_its_next_step() -> None:
    reached: list[str] = []

    @job("slow-sync-run", timeout=timedelta(seconds=0.5))
    def slow_sync_run(step: SyncStepContext) -> None:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            step.run(f"s{len(reached)}", reached.append, "x")
            time.sleep(0.01)

    run = begin(slow_sync_run)
    drain()
    assert jobs.get(run.id).error["type"] == "RunTimeout"
    assert len(reached) < 200, "it would go on for a minute"
