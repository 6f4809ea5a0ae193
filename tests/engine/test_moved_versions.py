"""Versions side by side: each run keeps to its own, says so when no worker has it, and is moved where it fits."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest

from runs import clock, jobs
from runs.errors import HistoryPruned, InvalidOption, JobNotFound, RunAlreadyEnded, RunNotMovable, VersionUnfit
from runs.jobs import StepContext, job
from runs.maintenance.stranded import Stranded, count_stranded, mark
from runs.models import Audit, EndHook, Event, Run, RunStatus, Step, Worker
from runs.testing import advance, drain, frozen_worker
from tests.engine.driver import Driver, begin, events, until

MINUTE = timedelta(seconds=61)


def register(version: str, first: str = "first", **options: Any) -> jobs.Job:
    @job("two-roads", version=version, **options)
    async def two_roads(step: StepContext) -> str:
        await step.run(first, str, version)
        return await step.run("second", str, version) + (await step.wait_for_signal("go"))

    return two_roads


@contextmanager
def worker_with(*versions: str) -> Iterator[Worker]:
    """A live worker that has these versions and no room."""
    worker = frozen_worker()
    worker.jobs = [["two-roads", version] for version in versions]
    worker.save()
    yield worker
    worker.delete()


def reason_of(run: Run) -> str:
    mark()
    return jobs.get(run.id).reason


def test_two_versions_run_side_by_side_and_the_newest_is_started() -> None:
    register("1")
    old = begin(jobs.get_job("two-roads"))
    register("2")
    new, chosen = jobs.start("two-roads").run, jobs.start("two-roads", version="1").run
    assert [run.job_version for run in (old, new, chosen)] == ["1", "2", "1"]
    for run in (old, new, chosen):
        jobs.signal(run.id, "go", "!")
    drain()
    assert [jobs.get(run.id).output for run in (old, new, chosen)] == ["1!", "2!", "1!"]


def test_a_due_run_that_no_worker_can_take_says_so_after_a_minute() -> None:
    register("1"), register("2")
    old, new = jobs.start("two-roads", version="1").run, jobs.start("two-roads", version="2").run
    with worker_with("2"):
        assert (reason_of(old), count_stranded()) == ("", [])
        advance(MINUTE)
        before = jobs.get(old.id).last_sequence
        assert (reason_of(old), reason_of(new)) == ("no_worker_for_version", "")
        assert count_stranded() == [Stranded("two-roads", "1", 1)]
        assert (mark(), jobs.get(old.id).last_sequence) == (0, before)


def test_the_reason_goes_when_a_worker_has_the_version_and_when_it_takes_the_run() -> None:
    register("1")
    run = begin(jobs.get_job("two-roads"))
    advance(MINUTE)
    assert reason_of(run) == "no_worker_for_version"
    with worker_with("1"):
        assert reason_of(run) == ""
    advance(MINUTE)
    assert reason_of(run) == "no_worker_for_version"
    drain()
    found = jobs.get(run.id)
    assert (found.status, found.reason) == (RunStatus.WAITING, "signal go")


def test_a_restart_of_the_workers_does_not_strand_anything() -> None:
    register("1")
    run = begin(jobs.get_job("two-roads"))
    advance(MINUTE)
    with worker_with("1") as worker:
        worker.expires_at = clock.now() - timedelta(seconds=30)
        worker.save()
        assert reason_of(run) == ""
        advance(timedelta(seconds=31))
        assert reason_of(run) == "no_worker_for_version"


def test_a_run_that_is_not_due_or_waits_for_its_key_is_not_stranded() -> None:
    register("1")
    later = begin(jobs.get_job("two-roads"), run_at=clock.now() + timedelta(hours=1))
    holder = begin(jobs.get_job("two-roads"), concurrency_key="k")
    drain()
    queued = begin(jobs.get_job("two-roads"), concurrency_key="k")
    advance(MINUTE)
    assert [reason_of(run) for run in (later, holder, queued)] == ["", "signal go", ""]


def test_a_run_of_a_worker_that_died_is_stranded_too(driver: Driver) -> None:
    @job("stuck")
    async def stuck(step: StepContext) -> None:
        await step.run("wait", asyncio.Event().wait)

    run = begin(stuck)
    driver.claim()
    until(lambda: "step:start" in [event.type for event in events(run)])
    advance(MINUTE)
    assert reason_of(run) == ""
    driver.kill()
    assert reason_of(run) == "no_worker_for_version"
    drain_nothing_of_it = claimed_again(run)
    assert drain_nothing_of_it.reason == ""


def claimed_again(run: Run) -> Run:
    with Driver() as second:
        second.claim()
        until(lambda: jobs.get(run.id).status == RunStatus.RUNNING and jobs.get(run.id).reason == "")
        return jobs.get(run.id)


def test_a_run_is_moved_to_a_version_that_fits_and_goes_on_there() -> None:
    register("1"), register("2", on_end=print)
    run = jobs.start("two-roads", version="1").run
    drain()
    moved = jobs.move_version(run.id, "2", actor=jobs.Actor("user", "7", "olga"))
    assert (moved.job_version, moved.status, moved.end_hook) == ("2", RunStatus.WAITING, EndHook.ARMED)
    line = Event.objects.filter(run=run, type="log:write").get().data
    assert (line["message"], line["actor"]["name"]) == ("Moved from version 1 to version 2", "olga")
    audit = Audit.objects.get(action="run.move")
    assert (audit.target, audit.data, audit.actor_name) == (str(run.id), {"from": "1", "to": "2"}, "olga")
    jobs.signal(run.id, "go", "!")
    drain()
    assert jobs.get(run.id).output == "1!"


def test_a_stranded_run_is_moved_and_taken() -> None:
    register("1"), register("2")
    run = jobs.start("two-roads", version="1").run
    with worker_with("2"):
        advance(MINUTE)
        assert reason_of(run) == "no_worker_for_version"
        moved = jobs.move_version(run.id, "2")
        assert (moved.reason, moved.job_version) == ("", "2")
        assert reason_of(run) == ""


def refusal_of(run: Run, version: str, kind: type[Exception]) -> str:
    before = Run.objects.values().get(id=run.id)
    with pytest.raises(kind) as refused:
        jobs.move_version(run.id, version)
    assert Run.objects.values().get(id=run.id) == before
    assert not Audit.objects.filter(action="run.move").exists()
    return str(refused.value)


def test_a_version_that_does_not_fit_is_refused_and_nothing_changes() -> None:
    register("1"), register("2", first="renamed")
    run = jobs.start("two-roads", version="1").run
    drain()
    assert "step 'renamed'" in refusal_of(run, "2", VersionUnfit)
    refusal_of(run, "1", InvalidOption)
    refusal_of(run, "3", JobNotFound)


def test_a_run_at_work_an_ended_one_and_one_without_history_are_not_moved(driver: Driver) -> None:
    register("2")

    @job("two-roads", version="1")
    async def works(step: StepContext) -> None:
        await step.run("first", asyncio.Event().wait)

    run = jobs.start("two-roads", version="1").run
    driver.claim()
    until(lambda: Step.objects.filter(status="running").exists())  # what comes later would look like a trace of a move
    refusal_of(run, "2", RunNotMovable)
    jobs.cancel(run.id)
    refusal_of(run, "2", RunAlreadyEnded)
    Run.objects.filter(id=run.id).update(status=RunStatus.FAILED, first_sequence=3)
    refusal_of(run, "2", HistoryPruned)


def test_a_failed_run_is_moved_and_retried_on_the_new_code() -> None:
    def break_down(*_: Any) -> str:
        raise ZeroDivisionError

    @job("two-roads", version="1")
    async def broken(step: StepContext) -> str:
        return await step.run("first", break_down)

    @job("two-roads", version="2")
    async def mended(step: StepContext) -> str:
        return await step.run("first", str, "mended")

    run = jobs.start("two-roads", version="1").run
    drain()
    jobs.move_version(run.id, "2")
    jobs.retry(run.id)
    drain()
    assert jobs.get(run.id).output == "mended"
