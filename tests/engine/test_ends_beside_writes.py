"""A run ends while the result of another of its steps is on the way to the database."""

import asyncio
import threading
from uuid import UUID

from runs import jobs
from runs.engine.store.commit import commit
from runs.engine.store.transitions import Entry, Written
from runs.jobs import StepContext, job
from runs.models import RunStatus, Step
from runs.testing import drain
from tests.engine.driver import Driver, begin, until
from tests.engine.written import groups, make

SECONDS = 0.001


def test_a_transaction_that_commits_while_its_run_fails_is_not_done_again_by_a_retry(driver: Driver) -> None:
    inside, go, mended = threading.Event(), threading.Event(), threading.Event()

    def pay() -> str:
        inside.set()
        go.wait(60)
        return make()

    @job("collapses")
    async def collapses(step: StepContext) -> str:
        paying = asyncio.create_task(step.transaction("pay", pay))
        while not inside.is_set():
            await asyncio.sleep(SECONDS)
        if not mended.is_set():
            raise ValueError("it collapses")
        return await paying

    run = begin(collapses)
    driver.claim()
    until(lambda: driver.executions and driver.executions[0].sealed)
    go.set()
    until(lambda: jobs.get(run.id).has_ended)
    assert jobs.get(run.id).status == RunStatus.FAILED
    assert (groups(), Step.objects.get(name="pay").status) == (["made"], "completed")
    mended.set()
    jobs.retry(run.id)
    drain()
    assert (jobs.get(run.id).output, groups()) == ("made", ["made"])


def test_a_result_that_is_committed_while_its_run_fails_stays_recorded() -> None:
    writing, go, mended = threading.Event(), threading.Event(), threading.Event()
    calls: list[str] = []

    def slowly(entries: list[Entry]) -> dict[UUID, Written]:
        if any(row.status == "completed" for entry in entries for row in entry.step_rows()):
            writing.set()
            go.wait(60)
        return commit(entries)

    @job("collapses")
    async def collapses(step: StepContext) -> None:
        other = asyncio.create_task(step.run("other", calls.append, "called"))
        while not writing.is_set():
            await asyncio.sleep(SECONDS)
        if not mended.is_set():
            raise ValueError("it collapses")
        await other

    with Driver(commit=slowly) as driver:
        run = begin(collapses)
        driver.claim()
        until(lambda: driver.executions and driver.executions[0].sealed)
        go.set()
        until(lambda: jobs.get(run.id).has_ended)
    assert jobs.get(run.id).status == RunStatus.FAILED
    assert Step.objects.get(name="other").status == "completed"
    mended.set()
    jobs.retry(run.id)
    drain()
    assert (jobs.get(run.id).status, calls) == (RunStatus.COMPLETED, ["called"])


def test_a_wait_that_begins_while_its_run_fails_ends_with_it_and_goes_on_after_a_retry() -> None:
    writing, go, mended = threading.Event(), threading.Event(), threading.Event()

    def slowly(entries: list[Entry]) -> dict[UUID, Written]:
        if any(row.kind == "signal" for entry in entries for row in entry.step_rows()):
            writing.set()
            go.wait(60)
        return commit(entries)

    @job("collapses")
    async def collapses(step: StepContext) -> str:
        waiting = asyncio.create_task(step.wait_for_signal("go"))
        while not writing.is_set():
            await asyncio.sleep(SECONDS)
        if not mended.is_set():
            raise ValueError("it collapses")
        said: str = await waiting
        return said

    with Driver(commit=slowly) as driver:
        run = begin(collapses)
        driver.claim()
        until(lambda: driver.executions and driver.executions[0].sealed)
        go.set()
        until(lambda: jobs.get(run.id).has_ended)
    assert (jobs.get(run.id).status, Step.objects.get().status) == (RunStatus.FAILED, "stopped")
    mended.set()
    jobs.retry(run.id)
    jobs.signal(run.id, "go", "went")
    drain()
    assert jobs.get(run.id).output == "went"


def test_a_step_that_a_dead_worker_left_open_ends_with_the_run_that_fails_before_it_comes_there(
    driver: Driver,
) -> None:
    died, mended = threading.Event(), threading.Event()

    async def hold() -> str:
        while not died.is_set():
            await asyncio.sleep(SECONDS)
        return "done"

    @job("collapses")
    async def collapses(step: StepContext) -> str:
        if died.is_set() and not mended.is_set():
            raise ValueError("it collapses")
        return await step.run("held", hold)

    run = begin(collapses)
    driver.claim()
    until(lambda: Step.objects.filter(status="running").exists())
    driver.call(driver.executions[0].lose)
    driver.kill()
    died.set()
    drain()
    assert (jobs.get(run.id).status, Step.objects.get().status) == (RunStatus.FAILED, "stopped")
    mended.set()
    jobs.retry(run.id)
    drain()
    assert jobs.get(run.id).output == "done"
