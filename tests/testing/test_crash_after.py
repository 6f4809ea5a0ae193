"""`crash_after`: a worker that dies at a step, in one process."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Group

from runs import jobs
from runs.jobs import Job, Retry, StepContext, SyncStepContext, job
from runs.models import Run, RunStatus, Step, Worker
from runs.testing import NobodyDied, advance, crash_after, drain


def three(calls: list[str]) -> Job:
    @job("three")
    async def three(step: StepContext) -> list[str]:
        async def call(name: str) -> str:
            calls.append(name)
            return name

        return [await step.run(name, call, name) for name in "abc"]

    return three


@pytest.mark.parametrize("before", [False, True])
@pytest.mark.parametrize("at", ["a", "b", "c"])
def test_nothing_is_done_after_the_death_and_the_next_drain_goes_on(at: str, before: bool) -> None:
    calls: list[str] = []
    run = jobs.start(three(calls)).run
    with crash_after(at, before_record=before):
        assert drain() == [run.id]
        done = "abc"[: "abc".index(at) + 1]
        assert calls == list(done)
        assert jobs.get(run.id).status == RunStatus.RUNNING
        recorded = Step.objects.filter(run=run, status="completed").values_list("name", flat=True)
        assert list(recorded) == list(done if not before else done[:-1])
        assert not Worker.objects.exists()
        assert drain() == [run.id], "it happens once"
    assert jobs.get(run.id).output == ["a", "b", "c"]
    assert calls == [*done, *([at] if before else []), *"abc"[len(done) :]]


@pytest.mark.parametrize("before", [False, True])
def test_a_transactional_step_dies_before_or_after_its_commit(before: bool) -> None:
    @job("writes")
    async def writes(step: StepContext) -> str:
        name = await step.transaction("make", lambda: Group.objects.create(name="made").name)
        return await step.run("after", lambda: name)

    run = jobs.start(writes).run
    with crash_after("make", before_record=before):
        drain()
    assert Group.objects.count() == (0 if before else 1)
    drain()
    assert jobs.get(run.id).output == "made"
    assert Group.objects.count() == 1


def test_a_plain_function_dies_too() -> None:
    calls: list[str] = []

    @job("plain")
    def plain(step: SyncStepContext) -> str:
        step.run("a", calls.append, "a")
        step.run("b", calls.append, "b")
        return "done"

    run = jobs.start(plain).run
    with crash_after("a"):
        drain()
    assert calls == ["a"]
    drain()
    assert (jobs.get(run.id).output, calls) == ("done", ["a", "b"])


def test_a_wait_and_a_retry_can_be_where_it_dies() -> None:
    tries: list[int] = []

    def flaky() -> int:
        tries.append(1)
        if len(tries) == 1:
            raise ValueError("not yet")
        return len(tries)

    @job("waits", retries=Retry(max_attempts=2, initial=60, jitter=0))
    async def waits(step: StepContext) -> int:
        await step.sleep("nap", timedelta(days=3))
        return await step.run("flaky", flaky)

    run = jobs.start(waits).run
    drain()
    advance(timedelta(days=3))
    with crash_after("nap"):
        drain()
    drain()
    advance(timedelta(minutes=2))
    with crash_after("flaky"):
        drain()
    drain()
    assert (jobs.get(run.id).output, len(tries)) == (2, 2)


def test_it_can_wait_for_one_run_of_several_and_all_runs_of_the_worker_die() -> None:
    calls: list[str] = []
    definition = three(calls)
    first, second = jobs.start(definition).run, jobs.start(definition).run
    with crash_after("c", run=second):
        drain()
    assert Step.objects.filter(run=second, name="c", status="completed").exists()
    drain()
    assert set(Run.objects.values_list("status", flat=True)) == {RunStatus.COMPLETED}
    assert jobs.get(first.id).output == jobs.get(second.id).output


def test_a_step_that_is_never_reached_is_an_error() -> None:
    jobs.start(three([]))
    with pytest.raises(NobodyDied, match=r"step 'd'.*\['a', 'b', 'c'\]"), crash_after("d"):
        drain()


def test_a_death_that_was_asked_for_is_not_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    jobs.start(three([]))
    with crash_after("a"):
        drain()
    assert not [record for record in caplog.records if record.name == "runs.writer"]
