"""Children are cancelled with their parent and removed after it."""

from uuid import UUID

import pytest

from runs import jobs
from runs.engine import children
from runs.errors import RunNotFinished
from runs.jobs import StepContext, job
from runs.maintenance.sweeper import sweep
from runs.models import Run, RunStatus
from runs.testing import claim_for, drain, frozen_worker
from tests.engine.driver import Driver, begin
from tests.engine.family import child_job, only_child, parent_job


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
