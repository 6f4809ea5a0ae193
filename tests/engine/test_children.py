"""Child runs: started once, waited for without a worker, cancelled with their parent."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from runs import jobs
from runs.engine import children
from runs.errors import ChildFailed, RunNotFailed, RunNotFinished
from runs.jobs import Job, StepContext, SyncStepContext, job
from runs.maintenance.sweeper import sweep
from runs.models import Run, RunStatus, Step
from runs.testing import advance, claim_for, drain, frozen_worker
from tests.engine.driver import Driver, begin, events, types, until


def child_job(name: str = "child") -> Job:
    @job(name)
    async def child(step: StepContext, number: int) -> int:
        return await step.wait_for_signal("finish", type=int) * number

    return child


def parent_job(child: Job, **options: Any) -> Job:
    @job("parent")
    async def parent(step: StepContext) -> int:
        return int(await step.child("child", child, 7, **options))

    return parent


def only_child() -> Run:
    return Run.objects.get(parent__isnull=False)


def test_a_waiting_parent_is_unloaded_and_woken_by_the_sweeper() -> None:
    run = begin(parent_job(child_job()))
    drain()
    waiting, child = jobs.get(run.id), only_child()
    assert (waiting.status, waiting.lease_worker, waiting.reason) == (RunStatus.WAITING, None, "child child")
    assert (child.parent_id, child.root_id, child.status) == (run.id, run.id, RunStatus.WAITING)
    jobs.signal(child.id, "finish", 6)
    [claimed] = claim_for(worker := frozen_worker())
    assert claimed.id == child.id
    worker.delete()
    drain()
    assert sweep() == 0
    assert jobs.get(run.id).output == 42
    ends = [event.data for event in events(run) if str(event.type).startswith("child:")]
    assert ends == [
        {"child": str(child.id), "job": "child"},
        {"child": str(child.id), "job": "child", "status": "completed"},
    ]
    assert types(run).count("step:start") == 1


def test_the_end_of_a_child_makes_its_parent_due_only_when_it_is_told() -> None:
    run = begin(parent_job(child_job()))
    drain()
    jobs.cancel(only_child().id)
    assert jobs.get(run.id).status == RunStatus.QUEUED
    assert (sweep(), only_child().tell_parent) == (0, False)
    drain()
    assert jobs.get(run.id).error["type"] == "ChildFailed"


@pytest.mark.parametrize("before", [True, False], ids=["before it is there", "after it is there"])
def test_a_crash_around_the_start_of_a_child_starts_it_once(
    driver: Driver, monkeypatch: pytest.MonkeyPatch, before: bool
) -> None:
    run = begin(parent_job(child_job()))
    start, met = children.family.start_child, []

    def crash(*args: Any) -> None:
        if not before:
            start(*args)
        met.append(args)
        until(lambda: driver.executions[0].sealed)

    monkeypatch.setattr(children.family, "start_child", crash)
    driver.claim()
    until(lambda: met)
    assert Run.objects.filter(parent=run).count() == (0 if before else 1)
    recorded = Step.objects.get().output["run"]
    driver.kill()
    monkeypatch.setattr(children.family, "start_child", start)
    drain()
    assert only_child().id == UUID(recorded)
    jobs.signal(only_child().id, "finish", 1)
    drain()
    assert jobs.get(run.id).output == 7
    assert types(run).count("child:start") == 1


def test_a_cancel_reaches_children_and_their_children_but_none_that_is_detached() -> None:
    leaf = child_job("leaf")

    @job("middle")
    async def middle(step: StepContext, number: int) -> int:
        return int(await step.child("leaf", leaf, number))

    @job("top")
    async def top(step: StepContext) -> None:
        await step.start_child("free", leaf, 1, detached=True)
        await step.start_child("bound", leaf, 2)
        await step.child("middle", middle, 3)

    run = begin(top)
    drain()
    assert Run.objects.count() == 5
    jobs.cancel(run.id)
    while sweep():
        pass
    drain()
    left = Run.objects.exclude(status=RunStatus.CANCELLED)
    assert [one.is_detached for one in left] == [True]
    assert left.get().status == RunStatus.WAITING


def test_a_child_that_is_started_as_its_parent_is_cancelled_is_cancelled_too(driver: Driver) -> None:
    run = begin(parent_job(child_job()))
    [claimed] = claim_for(frozen_worker())
    jobs.cancel(run.id)
    children.family.start_child(claimed, "child", UUID(int=7), child_job("late"), 1, {})
    drain()
    assert Run.objects.get(id=UUID(int=7)).status == RunStatus.CANCELLED


def test_a_child_that_nobody_waits_for_goes_on_alone() -> None:
    @job("starts")
    async def starts(step: StepContext) -> str:
        return str(await step.start_child("child", child_job(), 2, labels={"a": "b"}))

    run = begin(starts)
    drain()
    assert jobs.get(run.id).output == str(only_child().id)
    assert only_child().labels == {"a": "b"}
    jobs.signal(only_child().id, "finish", 5)
    drain()
    assert only_child().output == 10


def test_retries_and_a_substitute_start_further_children() -> None:
    started: list[str] = []

    @job("breaks")
    async def breaks(step: StepContext, number: int) -> int:
        started.append("breaks")
        raise ZeroDivisionError

    @job("instead")
    async def instead(step: StepContext, number: int) -> int:
        started.append("instead")
        return number + 1

    @job("insists")
    async def insists(step: StepContext) -> int:
        found = await step.options(retries=2).child("child", breaks, 1, on_failure=instead)
        await step.sleep("nap", timedelta(days=1))
        return int(found)

    run = begin(insists)
    drain()
    advance(timedelta(days=1))
    drain()
    assert (jobs.get(run.id).output, started) == (2, ["breaks", "breaks", "instead"])
    assert list(Step.objects.filter(run=run).order_by("id").values_list("name", "status")) == [
        ("child", "failed"), ("child#2", "failed"), ("child#3", "completed"), ("nap", "completed"),
    ]  # fmt: skip


def test_a_failed_child_raises_the_same_live_and_on_replay() -> None:
    met: list[tuple[str, str]] = []

    @job("fails")
    async def fails(step: StepContext, number: int) -> None:
        raise ZeroDivisionError("by zero")

    @job("survives")
    async def survives(step: StepContext) -> str:
        try:
            await step.child("child", fails, 1)
        except ChildFailed as exc:
            met.append((exc.status, str(exc)))
        await step.sleep("nap", timedelta(days=1))
        return "over it"

    run = begin(survives)
    drain()
    advance(timedelta(days=1))
    drain()
    assert jobs.get(run.id).output == "over it"
    assert met[0] == met[1]
    assert met[0][0] == "failed"
    assert "by zero" in met[0][1]


def test_a_retry_of_the_parent_starts_another_child_and_a_told_child_is_not_retried() -> None:
    broken = [True]

    @job("sometimes")
    async def sometimes(step: StepContext, number: int) -> int:
        if broken:
            raise ZeroDivisionError
        return number

    run = begin(parent_job(sometimes))
    drain()
    assert jobs.get(run.id).status == RunStatus.FAILED
    with pytest.raises(RunNotFailed):
        jobs.retry(only_child().id)
    broken.clear()
    jobs.retry(run.id)
    drain()
    assert jobs.get(run.id).output == 7
    assert Run.objects.filter(parent=run).count() == 2


def test_a_child_goes_with_its_parent_only_when_that_has_ended() -> None:
    @job("quick")
    async def quick(step: StepContext, number: int) -> int:
        return number

    @job("lingers")
    async def lingers(step: StepContext) -> None:
        await step.child("child", quick, 1)
        await step.wait_for_signal("go")

    run = begin(lingers)
    drain()
    child = only_child()
    assert child.status == RunStatus.COMPLETED
    with pytest.raises(RunNotFinished):
        jobs.delete(child.id)
    jobs.signal(run.id, "go")
    drain()
    jobs.delete(child.id)
    jobs.delete(run.id)
    assert not Run.objects.exists()


def test_the_version_of_a_child_can_be_named_and_its_input_is_checked_first() -> None:
    for version in ("1", "2"):

        @job("versioned", version=version)
        async def versioned(step: StepContext, number: int) -> int:
            return number

    @job("names-version")
    async def names_version(step: StepContext) -> None:
        await step.child("first", "versioned", 1, version="1")
        await step.start_child("second", "versioned", 1, version="2")
        await step.child("bad", "versioned", "no number")

    run = begin(names_version)
    drain()
    assert jobs.get(run.id).error["type"] == "InvalidInput"
    assert list(Run.objects.filter(parent=run).order_by("id").values_list("job_version", flat=True)) == ["1", "2"]


def test_several_children_at_once_wake_their_parent_one_after_the_other() -> None:
    child = child_job()

    @job("many")
    async def many(step: StepContext) -> list[int]:
        return list(await asyncio.gather(*(step.child(f"child {n}", child, n) for n in range(3))))

    run = begin(many)
    drain()
    for one in Run.objects.filter(parent=run).order_by("-id"):
        jobs.signal(one.id, "finish", 10)
        drain()
    assert jobs.get(run.id).output == [0, 10, 20]


def test_a_parent_that_died_while_it_waited_takes_the_output_once(driver: Driver, settings: Any) -> None:
    settings.RUNS_UNLOAD_AFTER = 60
    run = begin(parent_job(child_job()))
    driver.claim()
    child = until(lambda: Run.objects.filter(parent=run).first())
    until(lambda: driver.executions[0]._waiting.load.parked)
    driver.kill()
    settings.RUNS_UNLOAD_AFTER = 0.05
    jobs.signal(child.id, "finish", 2)
    drain()
    assert jobs.get(run.id).output == 14
    assert types(run).count("child:end") == 1


def test_a_plain_function_has_children_too() -> None:
    child = child_job()

    @job("plain-parent")
    def plain(step: SyncStepContext) -> int:
        return int(step.child("child", child, 3))

    run = begin(plain)
    drain()
    assert jobs.get(run.id).lease_worker is None
    jobs.signal(only_child().id, "finish", 3)
    drain()
    assert jobs.get(run.id).output == 9
