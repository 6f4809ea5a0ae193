"""A step that the job passes over is recorded with the value that stands in for its result."""

import asyncio
from typing import Any

import pytest

from runs import jobs
from runs.jobs import StepContext, SyncStepContext, job
from runs.models import Attempt, RunStatus, Step
from runs.testing import crash_after, drain
from tests.engine.driver import begin, events, types


def test_a_skipped_step_gives_its_value_now_and_on_replay() -> None:
    given: list[Any] = []

    @job("skips")
    async def skips(step: StepContext) -> Any:
        given.append(await step.skip("draft", "reused", {"text": ("a", "b")}))
        return await step.run("last", lambda: len(given))

    run = begin(skips)
    with crash_after("draft"):
        drain()
    drain()
    assert jobs.get(run.id).status == RunStatus.COMPLETED
    assert given == [{"text": ["a", "b"]}] * len(given)
    skipped = Step.objects.get(name="draft")
    assert (skipped.status, skipped.kind, skipped.attempts, skipped.output) == (
        "skipped", "skip", 0, {"text": ["a", "b"]}
    )  # fmt: skip
    assert not Attempt.objects.filter(step_name="draft").exists()
    said = [(event.step, event.data["reason"]) for event in events(run) if event.type == "step:skip"]
    assert said == [("draft", "reused")]


def test_a_plain_job_skips_too() -> None:
    @job("skips-plainly")
    def skips(step: SyncStepContext) -> Any:
        return step.skip("draft")

    run = begin(skips)
    drain()
    assert jobs.get(run.id).output is None
    assert Step.objects.get().status == "skipped"


def test_a_step_that_was_skipped_is_not_run_by_other_code() -> None:
    changed = False

    @job("changes")
    async def changes(step: StepContext) -> None:
        if changed:
            await step.run("draft", lambda: 1)
        else:
            await step.skip("draft")
        await step.wait_for_signal("go")

    run = begin(changes)
    drain()
    changed = True
    jobs.signal(run.id, "go")
    drain()
    assert (jobs.get(run.id).status, jobs.get(run.id).reason) == (RunStatus.PAUSED, "nondeterminism")


@pytest.mark.parametrize("value", [float("nan"), object(), "a\x00b"])
def test_a_value_that_cannot_be_stored_is_refused_at_the_call(value: object) -> None:
    @job("skips-badly")
    async def skips(step: StepContext) -> None:
        await step.skip("draft", value=value)

    run = begin(skips)
    drain()
    assert jobs.get(run.id).error["type"] == "StorageError"
    assert "step:skip" not in types(run)


def test_a_fork_keeps_what_was_skipped_or_takes_another_value() -> None:
    @job("forked")
    async def forked(step: StepContext) -> Any:
        return [await step.skip("draft", value=1), await step.run("next", lambda: 2)]

    run = begin(forked)
    drain()
    same = jobs.fork(run.id, "next")
    other = jobs.fork(run.id, "next", outputs={"draft": 9})
    drain()
    assert (jobs.get(same.id).output, jobs.get(other.id).output) == ([1, 2], [9, 2])


def test_a_branch_that_loses_a_race_has_skipped_nothing_twice() -> None:
    @job("races")
    async def races(step: StepContext) -> Any:
        async def skips(step: StepContext) -> Any:
            await step.skip("one")
            await asyncio.Event().wait()

        async def wins(step: StepContext) -> Any:
            return await step.wait_for_signal("go")

        return (await step.race("race", {"skips": skips, "wins": wins})).name

    run = begin(races)
    drain()
    jobs.signal(run.id, "go")
    drain()
    assert jobs.get(run.id).output == "wins"
    assert types(run).count("step:skip") == 1
