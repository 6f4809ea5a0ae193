"""Runs that a person lets go on, and the ends of runs whose code or key is gone."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from runs import jobs
from runs.errors import RunNotFinished
from runs.jobs import Actor, EndedRun, Job, StepContext, job
from runs.models import EndHook, Run, RunStatus
from runs.testing import drain, temporary_jobs
from tests.engine.driver import begin, events, types

OPERATOR = Actor("user", "7", "olga")


def flaky(broken: list[str]) -> Job:
    @job("flaky")
    async def works_when_mended(step: StepContext) -> str:
        def work() -> str:
            if broken:
                raise ValueError(broken[0])
            return "done"

        return await step.run("work", work)

    return works_when_mended


def who(run: Run, type_: str) -> list[str]:
    return [(event.data or {}).get("actor", {}).get("name", "") for event in events(run) if event.type == type_]


def test_a_resumed_run_says_once_that_it_goes_on_and_who_let_it() -> None:
    @job("waits")
    async def waits(step: StepContext) -> Any:
        return await step.wait_for_signal("go")

    run = begin(waits)
    drain()
    jobs.pause(run.id, actor=OPERATOR)
    resumed = jobs.resume(run.id, actor=OPERATOR)
    assert (resumed.status, resumed.reason) == (RunStatus.QUEUED, "resumed")
    drain()
    assert jobs.get(run.id).status == RunStatus.WAITING
    assert who(run, "run:resume") == ["olga"]
    jobs.signal(run.id, "go", 5)
    drain()
    assert jobs.get(run.id).output == 5
    assert who(run, "run:resume") == ["olga", ""]


def test_a_retried_run_says_once_that_it_goes_on_and_who_let_it() -> None:
    broken = ["disk full"]
    run = begin(flaky(broken))
    drain()
    broken.clear()
    retried = jobs.retry(run.id, actor=OPERATOR)
    assert (retried.status, retried.reason, retried.attempt) == (RunStatus.QUEUED, "retried", 2)
    drain()
    done = jobs.get(run.id)
    assert (done.output, done.reason) == ("done", "")
    assert who(run, "run:retry") == ["olga"]
    assert "run:resume" not in types(run)


def test_a_run_that_is_resumed_before_its_first_start_says_that_it_starts() -> None:
    run = begin(flaky([]))
    jobs.pause(run.id)
    jobs.resume(run.id, actor=OPERATOR)
    drain()
    assert types(run)[:4] == ["run:queued", "run:pause", "run:resume", "run:start"]


def test_a_key_whose_run_is_deleted_meanwhile_is_free_again() -> None:
    definition = flaky([])
    first = begin(definition, idempotency_key="k")
    jobs.cancel(first.id)
    deleted: list[str] = []

    def delete_first(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        """What another process does between this one's INSERT and SELECT."""
        if not deleted and sql.startswith("SELECT") and "k" in (params or ()):
            deleted.append(sql)
            Run.objects.filter(id=first.id).delete()
        return execute(sql, params, many, context)

    with connection.execute_wrapper(delete_first):
        again = jobs.start(definition, idempotency_key="k")
    assert deleted
    assert (again.disposition, again.run.id != first.id) == ("created", True)
    assert types(again.run) == ["run:queued"]


def test_a_run_whose_job_is_gone_can_be_deleted_though_its_hook_is_due() -> None:
    def hook(ended: EndedRun) -> None: ...

    with temporary_jobs():
        run = begin(job("gone", on_end=hook)(lambda step: None))
        jobs.cancel(run.id)
        assert jobs.get(run.id).end_hook == EndHook.DUE
        with pytest.raises(RunNotFinished, match="on_end"):
            jobs.delete(run.id)
    jobs.delete(run.id)
    assert not Run.objects.exists()
