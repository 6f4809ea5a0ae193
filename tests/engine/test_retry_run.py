"""Retry of a failed run goes on from what failed it, and does nothing else again."""

import asyncio
import contextlib
from datetime import timedelta
from typing import Any

import pytest

from runs import jobs
from runs.errors import HistoryPruned, RunNotFailed
from runs.jobs import StepContext, SyncStepContext, job
from runs.models import Run, RunStatus, Step, StepStatus
from runs.testing import advance, drain
from tests.engine.driver import begin, events, types


class Broken:
    """Steps of which some fail until they are mended."""

    def __init__(self, *names: str) -> None:
        self.names = set(names)
        self.calls: list[str] = []

    def call(self, name: str) -> str:
        self.calls.append(name)
        if name in self.names:
            raise ZeroDivisionError(name)
        return name


def failed_then_mended(run: Run, broken: Broken) -> Run:
    drain()
    assert jobs.get(run.id).status == RunStatus.FAILED
    broken.names.clear()
    jobs.retry(run.id)
    drain()
    return jobs.get(run.id)


def test_it_goes_on_from_the_failed_step_and_keeps_the_others() -> None:
    broken = Broken("b")

    @job("three")
    async def three(step: StepContext) -> list[str]:
        return [await step.run(name, broken.call, name) for name in "abc"]

    run = begin(three)
    ended = failed_then_mended(run, broken)
    assert (ended.status, ended.output, ended.attempt, ended.error) == (RunStatus.COMPLETED, ["a", "b", "c"], 2, None)
    assert broken.calls == ["a", "b", "b", "c"]
    [retry] = [event.data for event in events(run) if event.type == "run:retry"]
    assert retry["steps"] == ["b"]
    assert types(run).count("run:fail") == 1


def test_it_may_fail_again_and_be_retried_again() -> None:
    broken = Broken("a")

    @job("stubborn")
    async def stubborn(step: StepContext) -> str:
        return await step.options(retries=2).run("a", broken.call, "a")

    run = begin(stubborn)
    for attempt in (1, 2, 3):
        drain()
        advance(timedelta(minutes=5))
        drain()
        assert (jobs.get(run.id).status, jobs.get(run.id).attempt) == (RunStatus.FAILED, attempt)
        assert len(broken.calls) == 2 * attempt, "its retries are there again"
        jobs.retry(run.id)


def test_an_error_of_the_job_that_a_step_caused_names_the_step() -> None:
    broken = Broken("a")

    @job("wraps")
    async def wraps(step: StepContext) -> str:
        try:
            return await step.run("a", broken.call, "a")
        except Exception as exc:
            raise ValueError("wrapped") from exc

    assert failed_then_mended(begin(wraps), broken).output == "a"


@pytest.mark.parametrize("style", ["gather", "group", "map"])
def test_all_branches_that_failed_begin_again_and_no_other(style: str) -> None:
    broken = Broken("1", "3")

    @job("parallel")
    async def parallel(step: StepContext) -> list[str]:
        names = ["0", "1", "2", "3"]
        if style == "map":
            return await step.map("all", broken.call, names)
        calls = [step.run(name, broken.call, name) for name in names]
        if style == "gather":
            found = await asyncio.gather(*calls, return_exceptions=True)
            failures = [one for one in found if isinstance(one, Exception)]
            if failures:
                raise ExceptionGroup("some failed", failures)
            return [str(one) for one in found]
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(call) for call in calls]
        return [task.result() for task in tasks]

    run = begin(parallel)
    ended = failed_then_mended(run, broken)
    assert (ended.status, ended.output) == (RunStatus.COMPLETED, ["0", "1", "2", "3"]), ended.error
    if style != "group":
        assert sorted(broken.calls) == ["0", "1", "1", "2", "3", "3"]


def test_siblings_that_the_job_cancelled_over_the_failure_begin_again() -> None:
    broken = Broken("fails")

    @job("siblings")
    async def siblings(step: StepContext) -> list[Any]:
        async def nap() -> str:
            await step.run("before", broken.call, "before")
            await step.sleep("nap", timedelta(minutes=1))
            return await step.run("after", broken.call, "after")

        async def given_up() -> str:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0.01):
                    await step.wait_for_signal("never")
            return await step.run("went on", broken.call, "went on")

        async def fail_then() -> str:
            await asyncio.wait_for(has_gone_on.wait(), 60)
            return await step.run("fails", broken.call, "fails")

        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one()) for one in (nap, fail_then)]
            own = group.create_task(given_up())
            own.add_done_callback(lambda _: has_gone_on.set())
        return [task.result() for task in [*tasks, own]]

    has_gone_on = asyncio.Event()
    run = begin(siblings)
    drain()
    assert jobs.get(run.id).status == RunStatus.FAILED
    assert Step.objects.get(run=run, name="nap").status == StepStatus.CANCELLED
    broken.names.clear()
    jobs.retry(run.id)
    [retry] = [event.data for event in events(run) if event.type == "run:retry"]
    assert sorted(retry["steps"]) == ["fails", "nap"], "the wait that the job gave up stays given up"
    drain()
    advance(timedelta(minutes=2))
    drain()
    assert jobs.get(run.id).output == ["after", "fails", "went on"], jobs.get(run.id).error
    assert broken.calls == ["before", "went on", "fails", "fails", "after"]


def test_waits_that_the_failure_found_open_go_on_with_what_is_left_of_their_time() -> None:
    broken = Broken("fails")

    @job("waits-beside")
    async def waits_beside(step: StepContext) -> list[Any]:
        async def fail_later() -> str:
            await step.sleep("before", timedelta(hours=1))
            return await step.run("fails", broken.call, "fails")

        return list(
            await asyncio.gather(
                fail_later(), step.wait_for_signal("go"), step.wait_for_signal("in time", timeout=timedelta(hours=3)),
                step.sleep("nap", timedelta(hours=2)), step.child("child", child, 1),
            )
        )  # fmt: skip

    @job("beside")
    async def child(step: StepContext, number: int) -> int:
        return int(await step.wait_for_signal("finish"))

    run = begin(waits_beside)
    drain()
    before = dict(Step.objects.filter(run=run).values_list("name", "wake_at"))
    advance(timedelta(hours=1))
    drain()
    assert jobs.get(run.id).status == RunStatus.FAILED
    broken.names.clear()
    jobs.retry(run.id)
    drain()
    assert jobs.get(run.id).status == RunStatus.WAITING, jobs.get(run.id).error
    for name in ("signal:in time#1@0.3", "nap"):
        assert Step.objects.get(run=run, name=name).wake_at == before[name]
    assert Run.objects.filter(parent=run).count() == 1, "the child is the same"
    jobs.signal(run.id, "go", 1)
    jobs.signal(run.id, "in time", 2)
    jobs.signal(Run.objects.get(parent=run).id, "finish", 5)
    advance(timedelta(hours=1))
    drain()
    assert jobs.get(run.id).output == ["fails", 1, 2, None, 5]


def test_a_wait_that_timed_out_waits_again_with_all_of_its_time() -> None:
    @job("times-out")
    async def times_out(step: StepContext) -> Any:
        return await step.wait_for_signal("go", timeout=timedelta(days=1))

    run = begin(times_out)
    drain()
    advance(timedelta(days=1))
    drain()
    assert jobs.get(run.id).error["type"] == "SignalTimeout"
    jobs.retry(run.id)
    drain()
    advance(timedelta(hours=23))
    drain()
    assert jobs.get(run.id).status == RunStatus.WAITING
    jobs.signal(run.id, "go", 1)
    drain()
    assert jobs.get(run.id).output == 1


def test_a_run_that_took_too_long_gets_all_of_its_time_again() -> None:
    slow = [True]

    @job("slow", timeout=timedelta(minutes=10))
    async def slowly(step: StepContext) -> str:
        async def work() -> str:
            if slow:
                await asyncio.sleep(30)
            return "fast"

        return await step.run("work", work)

    run = begin(slowly)
    Run.objects.filter(id=run.id).update(active_ms=600_000)
    drain()
    assert jobs.get(run.id).error["type"] == "RunTimeout"
    slow.clear()
    jobs.retry(run.id)
    drain()
    assert jobs.get(run.id).output == "fast", jobs.get(run.id).error


def test_what_has_not_failed_is_not_retried_and_nothing_changes() -> None:
    @job("fine")
    async def fine(step: StepContext) -> str:
        return await step.wait_for_signal("go")

    run = begin(fine)
    for change in (drain, lambda: jobs.cancel(run.id)):
        before = types(run)
        with pytest.raises(RunNotFailed):
            jobs.retry(run.id)
        assert types(run) == before
        change()


def test_a_pruned_run_is_not_retried() -> None:
    broken = Broken("a")

    @job("pruned")
    async def pruned(step: StepContext) -> str:
        return await step.run("a", broken.call, "a")

    run = begin(pruned)
    drain()
    Run.objects.filter(id=run.id).update(first_sequence=3)
    with pytest.raises(HistoryPruned):
        jobs.retry(run.id)
    assert jobs.get(run.id).status == RunStatus.FAILED


def test_a_run_started_again_is_a_new_one_with_the_same_input() -> None:
    @job("again")
    async def again(step: StepContext, number: int) -> int:
        return await step.run("double", lambda: number * 2)

    run = begin(again, 21, labels={"a": "b"})
    drain()
    fresh = jobs.retrigger(run.id).run
    drain()
    ended = jobs.get(fresh.id)
    assert (ended.output, ended.labels, ended.id != run.id) == (42, {"a": "b"}, True)


def test_a_plain_function_is_retried_too() -> None:
    broken = Broken("b")

    @job("plain")
    def plain(step: SyncStepContext) -> list[str]:
        return [step.run(name, broken.call, name) for name in "ab"]

    assert failed_then_mended(begin(plain), broken).output == ["a", "b"]
    assert broken.calls == ["a", "b", "b"]
