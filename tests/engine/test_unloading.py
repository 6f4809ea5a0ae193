"""A run that only waits leaves its worker; what its code does while it is taken apart counts for nothing."""

import asyncio
import threading
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from runs import clock, jobs
from runs.engine.execute import Outcome
from runs.engine.store.transitions import Entry, Written
from runs.jobs import Job, Retry, StepContext, SyncStepContext, current_attempt, job
from runs.models import RunStatus, Step
from runs.testing import advance, drain
from tests.engine.driver import Driver, begin, types, until

LATER = Retry(max_attempts=2, initial=3600, factor=1, maximum=3600, jitter=0)


def once() -> int:
    if current_attempt().number == 1:
        raise ValueError("not yet")
    return current_attempt().number


def test_a_waiting_run_holds_no_worker_and_is_replayed_on_wake() -> None:
    calls: list[str] = []

    @job("waits", retries=LATER)
    async def waits(step: StepContext) -> int:
        calls.append("body")
        await step.run("first", calls.append, "first")
        return await step.run("second", once)

    run = begin(waits)
    drain()
    waiting = jobs.get(run.id)
    assert (waiting.status, waiting.lease_worker, waiting.output) == (RunStatus.WAITING, None, None)
    assert waiting.due_at == Step.objects.get(name="second").wake_at
    assert types(run)[-1] == "run:wait"
    advance(timedelta(hours=1))
    drain()
    assert jobs.get(run.id).output == 2
    assert calls == ["body", "first", "body"]
    assert types(run).count("run:resume") == 1


def test_what_a_body_does_when_it_is_unloaded_is_dropped() -> None:
    did: list[str] = []

    @job("swallows", retries=LATER)
    async def swallows(step: StepContext) -> str:
        try:
            await step.run("wait", once)
        except BaseException:
            did.append("swallowed")
        finally:
            did.append("finally")
        for name in ("more", "even-more"):
            try:
                await step.run(name, did.append, name)
            except BaseException as exc:
                did.append(type(exc).__name__)
        return "finished too early"

    run = begin(swallows)
    drain()
    assert did == ["swallowed", "finally", "Suspended", "Suspended"]
    waiting = jobs.get(run.id)
    assert (waiting.status, waiting.output, waiting.error) == (RunStatus.WAITING, None, None)
    assert list(Step.objects.values_list("name", flat=True)) == ["wait"]
    assert types(run)[-1] == "run:wait"


def test_gather_that_returns_exceptions_cannot_turn_a_wait_into_a_result() -> None:
    @job("gathers", retries=LATER)
    async def gathers(step: StepContext) -> list[str]:
        found = await asyncio.gather(step.run("wait", once), step.run("plain", lambda: 1), return_exceptions=True)
        return [str(one) for one in found]

    run = begin(gathers)
    drain()
    assert jobs.get(run.id).status == RunStatus.WAITING
    advance(timedelta(hours=1))
    drain()
    assert jobs.get(run.id).output == ["2", "1"]


def test_a_task_group_is_taken_apart_and_comes_back() -> None:
    @job("groups", retries=LATER)
    async def groups(step: StepContext) -> list[int]:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(step.run(name, once)) for name in ("a", "b")]
        return [task.result() for task in tasks]

    run = begin(groups)
    drain()
    assert jobs.get(run.id).status == RunStatus.WAITING
    advance(timedelta(hours=1))
    drain()
    assert jobs.get(run.id).output == [2, 2]


def test_a_run_is_not_unloaded_while_another_branch_works(driver: Driver) -> None:
    finish = asyncio.Event()

    @job("half-waits", retries=LATER)
    async def half_waits(step: StepContext) -> None:
        await asyncio.gather(step.run("wait", once), step.run("work", finish.wait))

    run = begin(half_waits)
    driver.claim()
    until(lambda: Step.objects.filter(name="wait", status="retrying").exists())
    until(lambda: Step.objects.filter(name="work", status="running").exists())
    assert run.id not in driver.outcomes
    driver.call(finish.set)
    assert driver.outcome(run) is Outcome.WAITING
    assert Step.objects.get(name="work").status == "completed"


def test_the_earliest_of_several_waits_wakes_the_run() -> None:
    @job("two-waits")
    async def two_waits(step: StepContext) -> list[int]:
        soon = step.options(retries=Retry(max_attempts=2, initial=60, jitter=0))
        return list(await asyncio.gather(step.options(retries=LATER).run("later", once), soon.run("soon", once)))

    run = begin(two_waits)
    drain()
    assert jobs.get(run.id).due_at == Step.objects.get(name="soon").wake_at
    advance(timedelta(seconds=61))
    drain()
    assert Step.objects.get(name="soon").status == "completed"
    assert jobs.get(run.id).due_at == Step.objects.get(name="later").wake_at
    advance(timedelta(hours=1))
    drain()
    assert jobs.get(run.id).output == [2, 2]


def test_what_arrives_between_the_last_look_and_the_wait_is_not_slept_through(
    driver: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody tells this driver of the signal: only the inbox condition of the wait does."""
    commit = driver.world.writer.commit
    sent: list[Any] = []

    def send_before_the_wait(entries: list[Entry]) -> dict[UUID, Written]:
        if not sent and entries[0].change.expect_inbox is not None:
            sent.append(jobs.signal(entries[0].run_id, "go", "arrived"))
        return commit(entries)

    monkeypatch.setattr(driver.world.writer, "commit", send_before_the_wait)

    @job("is-sent-something")
    async def is_sent_something(step: StepContext) -> str:
        return str(await step.wait_for_signal("go"))

    run = begin(is_sent_something)
    driver.claim()
    assert driver.outcome(run) is Outcome.ENDED
    assert jobs.get(run.id).output == "arrived"
    assert "run:wait" not in types(run)


def test_a_sync_job_leaves_its_thread_when_it_waits() -> None:
    left: list[str] = []
    threads: list[str] = []

    @job("sync-waits", retries=LATER)
    def sync_waits(step: SyncStepContext) -> int:
        threads.append(threading.current_thread().name)
        try:
            found: int = step.run("wait", once)
            return found
        except BaseException as exc:
            left.append(type(exc).__name__)
            raise

    run = begin(sync_waits)
    drain()
    assert jobs.get(run.id).status == RunStatus.WAITING
    assert left == ["Suspended"]
    advance(timedelta(hours=1))
    drain()
    assert jobs.get(run.id).output == 2


def stubborn(release: threading.Event) -> Job:
    @job("stubborn", retries=LATER)
    async def stays(step: StepContext) -> None:
        try:
            await step.run("wait", once)
        finally:
            while not release.is_set():
                try:
                    await asyncio.sleep(0.005)
                except asyncio.CancelledError:
                    continue

    return stays


def test_code_that_does_not_leave_is_reported_and_the_run_waits_all_the_same(driver: Driver, settings: Any) -> None:
    settings.RUNS_UNLOAD_GRACE_SECONDS = 0.1
    release = threading.Event()
    run = begin(stubborn(release))
    driver.claim()
    assert driver.outcome(run) is Outcome.WAITING
    release.set()
    assert "does not stop" in driver.leaks[0]
    assert jobs.get(run.id).status == RunStatus.WAITING


def test_a_draining_worker_hands_a_run_back_at_the_next_step_boundary(
    driver: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At once, also when its own clock is ahead of the one that says what is due."""
    finish = asyncio.Event()

    @job("handed-back")
    async def handed_back(step: StepContext) -> str:
        await step.run("first", finish.wait)
        return await step.run("second", lambda: "done")

    run = begin(handed_back)
    driver.claim()
    until(lambda: Step.objects.filter(status="running").exists())
    with monkeypatch.context() as wrong:
        wrong.setattr(clock, "now", lambda: datetime.now(UTC) + timedelta(hours=1))
        driver.call(driver.executions[0].drain)
        driver.call(finish.set)
        assert driver.outcome(run) is Outcome.RELEASED
    back = jobs.get(run.id)
    assert (back.status, back.lease_worker, back.claims) == (RunStatus.QUEUED, None, 0)
    assert dict(Step.objects.values_list("name", "status")) == {"first": "completed"}
    drain()
    assert jobs.get(run.id).output == "done"
