"""A worker that was frozen past its lease goes on as if nothing had happened, and writes nothing."""

import asyncio
import threading
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import OperationalError, connection

from runs import jobs
from runs.engine import execute
from runs.engine.execute import Outcome
from runs.errors import StepFailed
from runs.jobs import Retry, StepContext, current_attempt, job
from runs.models import Attempt, Audit, Checkpoint, Event, Run, RunStatus, Step
from runs.testing import advance, drain
from tests.engine.driver import Driver, begin, events, types, until


def expire(driver: Driver) -> None:
    type(driver.worker).objects.filter(id=driver.worker.id).update(expires_at=driver.worker.started_at)


def test_a_zombie_writes_nothing_of_any_kind(driver: Driver) -> None:
    go_on = asyncio.Event()
    did: list[str] = []

    @job("haunted")
    async def haunted(step: StepContext) -> int:
        async def work(emit: Any, checkpoint: Any) -> int:
            number = current_attempt().number
            if number == 1:
                await go_on.wait()
                did.append("woke")
                step.log.info("a zombie speaks")
                step.progress(9, 9)
                await checkpoint("a zombie saves")
                did.append("saved")
            return number

        found: int = await step.stream("work", work)
        await step.run("next", did.append, f"next of {found}")
        return found

    run = begin(haunted)
    driver.claim()
    until(lambda: Step.objects.filter(status="running").exists())
    expire(driver)
    assert drain() == [run.id]
    finished = [Run.objects.values().get(), list(Step.objects.values()), list(Attempt.objects.values()), types(run)]
    driver.call(go_on.set)
    assert driver.outcome(run) is Outcome.LOST
    assert did == ["next of 2", "woke"]
    after = [Run.objects.values().get(), list(Step.objects.values()), list(Attempt.objects.values()), types(run)]
    assert after == finished
    assert jobs.get(run.id).output == 2
    assert list(Attempt.objects.filter(step_name="work").values_list("number", "outcome", "epoch")) == [
        (1, "lost", 1), (2, "completed", 2),
    ]  # fmt: skip


def test_a_worker_takes_its_own_run_again_after_its_lease_and_the_old_execution_is_lost(driver: Driver) -> None:
    go_on = asyncio.Event()

    @job("own-again")
    async def own_again(step: StepContext) -> int:
        async def work() -> int:
            number = current_attempt().number
            if number == 1:
                await go_on.wait()
            return number

        return await step.run("work", work)

    run = begin(own_again)
    driver.claim()
    until(lambda: Step.objects.filter(status="running").exists())
    expire(driver)
    assert [one.lease_token for one in driver.claim()] == [2]
    until(lambda: jobs.get(run.id).has_ended)
    driver.call(go_on.set)
    until(lambda: len(driver.all_outcomes) == 2)
    assert sorted(one.value for one in driver.all_outcomes) == ["ended", "lost"]
    assert jobs.get(run.id).output == 2
    assert types(run).count("step:complete") == 1


def test_a_hundred_runs_share_their_commits(driver: Driver) -> None:
    @job("one-of-many")
    async def one_of_many(step: StepContext, number: int) -> int:
        return sum([await step.run(f"s{n}", asyncio.sleep, 0.001, number) for n in range(5)])

    runs = [begin(one_of_many, number) for number in range(100)]
    assert sum(len(driver.claim()) for _ in range(4)) == 100
    for number, run in enumerate(runs):
        assert driver.outcome(run) is Outcome.ENDED
        assert jobs.get(run.id).output == 5 * number
        assert len(events(run)) == 2 + 5 * 2 + 1


@pytest.mark.parametrize("way", ["sync step", "sync_to_async", "async queries"])
def test_job_code_uses_the_database_and_leaves_no_connection_open(way: str, on_postgresql: bool) -> None:
    @job("queries")
    async def queries(step: StepContext) -> int:
        async def later() -> int:
            return await (sync_to_async(Run.objects.count)() if way == "sync_to_async" else Run.objects.acount())

        return sum([await step.run(f"s{n}", Run.objects.count if way == "sync step" else later) for n in range(3)])

    run = begin(queries)
    before = connections_open(on_postgresql)
    drain()
    assert jobs.get(run.id).output == 3, jobs.get(run.id).error
    until(lambda: connections_open(on_postgresql) <= before)  # a backend ends shortly after its client


def connections_open(on_postgresql: bool) -> int:
    if not on_postgresql:
        return 0
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")
        return int(cursor.fetchone()[0])


def test_queries_of_several_runs_do_not_wait_for_each_other() -> None:
    """Without a thread of its own for each run all async queries of a process go through one."""
    barrier = threading.Barrier(5, timeout=60)

    @job("queries-at-once")
    async def queries_at_once(step: StepContext) -> int:
        return await step.run("query", sync_to_async(barrier.wait))

    runs = [begin(queries_at_once) for _ in range(5)]
    drain()
    assert sorted(jobs.get(run.id).output for run in runs) == list(range(5))


def test_a_history_that_cannot_be_read_now_does_not_fail_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    real, failed = execute.load_history, []

    def load(run: Run) -> Any:
        if not failed:
            failed.append(run.id)
            raise OperationalError("the server is restarting")
        return real(run)

    @job("loads", retries=Retry(max_attempts=2, initial=60, jitter=0))
    async def loads(step: StepContext) -> int:
        return await step.run("call", lambda: 1 // (current_attempt().number - 1))

    run = begin(loads)
    drain()
    assert jobs.get(run.id).status == RunStatus.WAITING
    advance(timedelta(minutes=2))
    monkeypatch.setattr(execute, "load_history", load)
    drain()
    assert failed
    assert jobs.get(run.id).output == 1


def test_a_step_left_behind_by_a_finished_job_is_cancelled() -> None:
    @job("leaves-a-step")
    async def leaves_a_step(step: StepContext) -> str:
        tasks = [asyncio.create_task(step.run("left", asyncio.Event().wait))]
        await step.run("other", asyncio.sleep, 0.02)
        return f"done with {len(tasks)} left"

    run = begin(leaves_a_step)
    drain()
    assert jobs.get(run.id).output == "done with 1 left"
    assert dict(Step.objects.values_list("name", "status")) == {"left": "cancelled", "other": "completed"}
    assert types(run)[-2:] == ["step:cancel", "run:complete"]


def test_a_deleted_run_leaves_nothing_but_its_audit() -> None:
    @job("deleted")
    async def deleted(step: StepContext) -> None:
        try:
            await step.run("fails", lambda: 1 / 0)
        except StepFailed:
            return

    run = begin(deleted)
    drain()
    jobs.delete(run.id, actor=jobs.Actor("user", "1", "ada"))
    assert [model.objects.count() for model in (Run, Step, Attempt, Event, Checkpoint)] == [0] * 5
    assert list(Audit.objects.values_list("action", "actor_name", "target")) == [
        ("run.delete", "ada", str(run.id)), ("run.start", "", str(run.id)),
    ]  # fmt: skip
