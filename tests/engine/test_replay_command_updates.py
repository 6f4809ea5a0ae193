"""`manage.py replay` passes runs with updates: handled ones, one that waits inside its handler, one that just came."""

from typing import Any

import pytest

from runs import jobs
from runs.jobs import StepContext, SyncStepContext, job
from runs.maintenance.replay import Fit, replay, runs_to_replay
from runs.maintenance.retention import parse_age
from runs.models import Run, RunStatus
from runs.testing import drain, temporary_jobs
from tests.engine.driver import begin


def register(style: str, last: str = "last", inside: str = "inside", early: str = "") -> jobs.Job:
    """A job that counts what its updates add; its last step, its handler's step and one more are named here."""

    @job("counts")
    async def counts(step: StepContext) -> Any:
        step.state.set({"count": 0})
        if early:
            await step.run(early, str, 1)
        await step.wait_for_signal("stop")
        return await step.run(last, lambda: step.state.get("count"))

    @job("sync-counts")
    def sync_counts(step: SyncStepContext) -> Any:
        step.state.set({"count": 0})
        if early:
            step.run(early, str, 1)
        step.wait_for_signal("stop")
        count = step.state.get("count")
        return step.run(last, lambda: count)

    async def add(step: StepContext, by: int) -> int:
        added = await step.run(inside, lambda: by)
        if by < 0:
            await step.wait_for_signal("sure")
        step.state.update(count=step.state.get("count") + added)
        return added

    counts.update(name="add")(add)
    sync_counts.update(name="add")(add)
    return counts if style == "async" else sync_counts


def fits() -> list[Fit]:
    return [one.fit for one in replay(runs_to_replay(None, parse_age("7d")))]


@pytest.mark.parametrize("style", ["async", "sync"])
def test_updates_are_replayed_with_their_run(style: str) -> None:
    with temporary_jobs():
        run = begin(register(style))
        drain()
        jobs.update(run.id, "add", 2)
        assert fits() == [Fit.OK]
        drain()
        assert fits() == [Fit.OK]
        jobs.update(run.id, "add", -1)
        drain()
        assert fits() == [Fit.OK]
        assert jobs.get(run.id).status == RunStatus.WAITING
    with temporary_jobs():
        register(style, early="early")
        assert fits() == [Fit.BREAKS]
    with temporary_jobs():
        register(style, inside="renamed")
        assert fits() == [Fit.BREAKS], "the handler that is under way"
    register(style)
    for signal in ("sure", "stop"):
        jobs.signal(run.id, signal)
        drain()
    assert jobs.get(run.id).output == 1
    assert fits() == [Fit.OK]
    with temporary_jobs():
        register(style, last="renamed")
        assert fits() == [Fit.BREAKS]
    assert Run.objects.count() == 1
