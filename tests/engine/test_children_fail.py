"""Children that fail: further ones, a substitute, and what the parent meets."""

from datetime import timedelta

import pytest

from runs import jobs
from runs.errors import ChildFailed, RunNotFailed
from runs.jobs import StepContext, job
from runs.models import Run, RunStatus, Step
from runs.testing import advance, drain
from tests.engine.driver import begin
from tests.engine.family import only_child, parent_job


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


def test_a_child_with_a_key_of_its_own_is_refused_before_anything_is_recorded() -> None:
    """The step starts it once; a key could find the run of somebody else, which would then be nobody's child."""

    @job("kept")
    async def kept(step: StepContext) -> str:
        return "mine"

    @job("asks")
    async def asks(step: StepContext, detached: bool) -> str:
        if detached:
            await step.start_child("apart", kept, idempotency_key="k")
        return str(await step.child("within", kept, idempotency_key="k"))

    other = begin(kept, idempotency_key="k")
    runs = [begin(asks, detached) for detached in (False, True)]
    drain()
    for run in runs:
        failed = jobs.get(run.id)
        assert (failed.status, failed.error["type"]) == (RunStatus.FAILED, "InvalidOption")
        assert "leave it out" in failed.error["message"]
    assert not Step.objects.filter(run__in=runs).exists()
    assert list(Run.objects.filter(job="kept")) == [other]
