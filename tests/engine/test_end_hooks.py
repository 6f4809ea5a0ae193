"""`on_end` is called at least once after every end, by whichever worker is there."""

from datetime import timedelta
from typing import Any

import pytest

from runs import jobs
from runs.errors import RunNotFinished
from runs.jobs import EndedRun, Job, StepContext, job
from runs.models import EndHook, Run, RunStatus
from runs.testing import advance, claim_for, drain, frozen_worker
from tests.engine.driver import begin, types


def hooked(hook: Any) -> Job:
    @job("hooked", on_end=hook)
    async def with_hook(step: StepContext, fail: bool) -> str:
        if fail:
            raise ValueError("as asked")
        return "done"

    return with_hook


def test_the_hook_learns_how_the_run_ended() -> None:
    ended: list[EndedRun] = []
    definition = hooked(ended.append)
    completed, failed, cancelled = begin(definition, False), begin(definition, True), begin(definition, False)
    jobs.cancel(cancelled.id)
    drain()
    by_id = {one.id: one for one in ended}
    assert len(ended) == 3
    assert (by_id[completed.id].status, by_id[completed.id].output) == ("completed", "done")
    assert by_id[failed.id].status == "failed"
    assert by_id[failed.id].error["message"] == "as asked"
    assert (by_id[cancelled.id].status, by_id[cancelled.id].input) == ("cancelled", False)
    assert set(Run.objects.values_list("end_hook", "lease_worker")) == {(EndHook.DONE, None)}
    assert drain() == []


def test_a_hook_writes_nothing_to_the_log_of_its_run() -> None:
    async def hook(ended: EndedRun) -> None: ...

    run = begin(hooked(hook), False)
    drain()
    assert types(run)[-1] == "run:complete"
    assert jobs.get(run.id).status == RunStatus.COMPLETED


@pytest.mark.parametrize("error", [ValueError, SystemExit, KeyboardInterrupt])
@pytest.mark.parametrize("is_async", [False, True])
def test_a_hook_that_fails_is_called_again_later_and_then_given_up(
    error: type[BaseException], is_async: bool, settings: Any
) -> None:
    settings.RUNS_MAX_CLAIMS = 3
    calls: list[str] = []

    def fails(ended: EndedRun) -> None:
        calls.append(ended.status)
        raise error("not today")

    async def fails_async(ended: EndedRun) -> None:
        fails(ended)

    run = begin(hooked(fails_async if is_async else fails), False)
    for _ in range(6):
        drain()
        advance(timedelta(minutes=5))
    assert calls == ["completed"] * 3
    ended = jobs.get(run.id)
    assert (ended.status, ended.end_hook, ended.output) == (RunStatus.COMPLETED, EndHook.FAILED, "done")
    assert types(run)[-1] == "run:complete"


def test_a_worker_that_dies_in_the_hook_is_followed_by_another() -> None:
    calls: list[str] = []
    run = begin(hooked(lambda ended: calls.append(ended.status)), False)
    jobs.cancel(run.id)
    dead = frozen_worker()
    assert [one.id for one in claim_for(dead)] == [run.id]
    assert drain() == []
    dead.delete()
    assert drain() == [run.id]
    assert calls == ["cancelled"]


def test_a_run_is_deleted_only_after_its_hook() -> None:
    run = begin(hooked(lambda ended: None), False)
    jobs.cancel(run.id)
    with pytest.raises(RunNotFinished, match="on_end"):
        jobs.delete(run.id)
    drain()
    jobs.delete(run.id)
    assert not Run.objects.exists()
