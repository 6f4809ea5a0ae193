"""Child runs: started once, waited for without a worker."""

import asyncio

from runs import jobs
from runs.jobs import StepContext, SyncStepContext, job
from runs.maintenance.sweeper import sweep
from runs.models import Run, RunStatus
from runs.testing import claim_for, drain, frozen_worker
from tests.engine.driver import begin, events, types
from tests.engine.family import child_job, only_child, parent_job


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
