"""`watch_ends`: another app is told of the end of each run with its label, at least once."""

from datetime import timedelta
from typing import Any

import pytest

from runs import jobs
from runs.engine import watched
from runs.jobs import EndedRun, Job, StepContext, job
from runs.models import EndHook, Run
from runs.testing import advance, drain
from tests.engine.driver import begin


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[EndedRun]:
    monkeypatch.setattr(watched, "_functions", {})
    ended: list[EndedRun] = []
    jobs.watch_ends("case", ended.append)
    return ended


def watched_job(hook: Any = None) -> Job:
    @job("watched", on_end=hook)
    async def body(step: StepContext, fail: bool) -> str:
        if fail:
            raise ValueError("as asked")
        return "done"

    return body


def labelled(definition: Job, value: Any, **labels: str) -> Run:
    return jobs.start(definition, value, labels=labels).run


def test_only_the_ends_of_runs_with_the_label_are_told(told: list[EndedRun]) -> None:
    definition = watched_job()
    first, failed = labelled(definition, False, case="7"), labelled(definition, True, case="8")
    cancelled = labelled(definition, False, case="9")
    jobs.cancel(cancelled.id)
    other, bare = labelled(definition, False, another="7"), begin(definition, False)
    drain()
    assert {(one.id, one.labels["case"], one.status) for one in told} == {
        (first.id, "7", "completed"), (failed.id, "8", "failed"), (cancelled.id, "9", "cancelled"),
    }  # fmt: skip
    assert {jobs.get(one.id).end_hook for one in (first, failed, cancelled)} == {EndHook.DONE}
    assert {jobs.get(one.id).end_hook for one in (other, bare)} == {EndHook.NONE}


def test_a_watcher_and_the_jobs_own_hook_are_both_called(told: list[EndedRun]) -> None:
    own: list[EndedRun] = []
    run = labelled(watched_job(own.append), False, case="7")
    drain()
    assert [one.id for one in (*told, *own)] == [run.id, run.id]


@pytest.mark.parametrize("failing", ["watcher", "own"])
def test_one_that_fails_keeps_the_other_from_nothing_and_is_called_again(told: list[EndedRun], failing: str) -> None:
    calls: list[str] = []

    def fails_once(ended: EndedRun) -> None:
        calls.append(ended.status)
        if len(calls) == 1:
            raise ValueError("not today")

    own: list[EndedRun] = []
    if failing == "watcher":
        jobs.watch_ends("case", fails_once)
    run = labelled(watched_job(own.append if failing == "watcher" else fails_once), False, case="7")
    drain()
    other = own if failing == "watcher" else told
    assert len(other) == len(calls) == 1
    assert jobs.get(run.id).end_hook == EndHook.DUE
    advance(timedelta(minutes=1))
    drain()
    assert len(calls) == 2
    assert jobs.get(run.id).end_hook == EndHook.DONE


def test_each_end_of_a_retried_run_is_told(told: list[EndedRun]) -> None:
    run = labelled(watched_job(), True, case="7")
    drain()
    jobs.retry(run.id)
    drain()
    assert [one.status for one in told] == ["failed", "failed"]


def test_copies_of_a_run_have_its_label_and_are_told_as_themselves(told: list[EndedRun]) -> None:
    run = labelled(watched_job(), False, case="7")
    again = jobs.retrigger(run.id).run
    drain()
    assert {one.id for one in told} == {run.id, again.id}


def test_a_run_that_is_moved_to_another_version_is_watched_as_before(told: list[EndedRun]) -> None:
    @job("watched", version="2")
    async def next_version(step: StepContext, fail: bool) -> str:
        return "newer"

    run = labelled(watched_job(), False, case="7")
    jobs.move_version(run.id, "2")
    drain()
    assert [(one.id, one.output) for one in told] == [(run.id, "newer")]
