"""A fork is a new run with the steps before one of another run recorded, with other input or results where given."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from runs import jobs
from runs.errors import ChildFailed, HistoryPruned, InvalidInput, InvalidOption, RunNotFound
from runs.jobs import Job, StepContext, job
from runs.models import Run, RunStatus, Step
from runs.testing import advance, drain
from tests.engine.driver import begin, events, types


class Adds:
    def __init__(self) -> None:
        self.calls: list[str] = []

    def add(self, name: str, one: int, other: int) -> int:
        self.calls.append(name)
        return one + other

    def job(self) -> Job:
        @job("adds")
        async def adds(step: StepContext, number: int) -> list[int]:
            a = await step.run("a", self.add, "a", number, 1)
            b = await step.run("b", self.add, "b", a, 10)
            c = await step.run("c", self.add, "c", b, 100)
            return [a, b, c]

        return adds


def test_it_does_again_what_comes_from_the_step_on_and_nothing_before() -> None:
    adds = Adds()
    run = begin(adds.job(), 1, labels={"a": "b"})
    drain()
    fork = jobs.fork(run.id, "b")
    drain()
    ended = jobs.get(fork.id)
    assert (ended.output, ended.forked_from_id, ended.forked_step) == ([2, 12, 112], run.id, "b")
    assert ended.labels == {"a": "b"}
    assert adds.calls == ["a", "b", "c", "b", "c"]
    assert jobs.get(run.id).output == [2, 12, 112]
    assert types(fork)[:3] == ["run:queued", "run:fork", "run:start"]
    assert [event.data["from"] for event in events(fork) if event.type == "run:fork"] == [str(run.id)]


def test_results_and_input_can_be_edited() -> None:
    adds = Adds()
    run = begin(adds.job(), 1)
    drain()
    edited = jobs.fork(run.id, "c", outputs={"b": 1000})
    other = jobs.fork(run.id, "a", input=5)
    drain()
    assert jobs.get(edited.id).output == [2, 1000, 1100]
    assert jobs.get(other.id).output == [6, 16, 116]
    assert list(Step.objects.filter(run=run).order_by("id").values_list("output", flat=True)) == [2, 12, 112]


@pytest.mark.parametrize(
    ("step", "options", "error"),
    [
        ("missing", {}, InvalidOption),
        ("b", {"outputs": {"c": 1}}, InvalidOption),
        ("b", {"outputs": {"nobody": 1}}, InvalidOption),
        ("b", {"input": "no number"}, InvalidInput),
    ],
)
def test_what_does_not_fit_is_refused_and_starts_nothing(step: str, options: dict[str, Any], error: type) -> None:
    run = begin(Adds().job(), 1)
    drain()
    with pytest.raises(error):
        jobs.fork(run.id, step, **options)
    assert Run.objects.count() == 1


def test_a_pruned_or_missing_run_is_not_forked() -> None:
    run = begin(Adds().job(), 1)
    drain()
    Run.objects.filter(id=run.id).update(first_sequence=2)
    with pytest.raises(HistoryPruned):
        jobs.fork(run.id, "b")
    with pytest.raises(RunNotFound):
        jobs.fork("01a1fd71-fb8a-75da-81d6-d0f591513bda", "b")


def test_waits_children_and_state_are_kept_and_their_results_can_be_edited() -> None:
    @job("leaf")
    async def leaf(step: StepContext, number: int) -> int:
        return number

    @job("rich")
    async def rich(step: StepContext) -> list[Any]:
        step.state.set({"phase": 1})
        signal = await step.wait_for_signal("go")
        await step.sleep("nap", timedelta(days=1))
        child = await step.child("child", leaf, 3)
        won = await step.race("race", {"x": lambda s: s.run("x", lambda: 1), "y": lambda s: s.wait_for_signal("y")})
        step.state.update(phase=2)
        return [signal, child, won.name, won.value, await step.run("last", lambda: "last"), step.state.value]

    run = begin(rich)
    jobs.signal(run.id, "go", "original")
    drain()
    advance(timedelta(days=1))
    drain()
    assert jobs.get(run.id).output == ["original", 3, "x", 1, "last", {"phase": 2}]
    same = jobs.fork(run.id, "last")
    edited = jobs.fork(run.id, "last", outputs={"signal:go#1": "edited", "child": 30, "race": 7})
    drain()
    assert jobs.get(same.id).output == jobs.get(run.id).output, jobs.get(same.id).error
    assert jobs.get(edited.id).output == ["edited", 30, "x", 7, "last", {"phase": 2}]
    assert Run.objects.filter(job="leaf").count() == 1


def test_a_failed_step_can_be_given_a_result() -> None:
    @job("fails")
    async def fails(step: StepContext) -> str:
        def fail() -> str:
            raise ZeroDivisionError

        try:
            found = await step.run("fails", fail)
        except Exception:
            found = "failed"
        return await step.run("after", lambda: f"after {found}")

    run = begin(fails)
    drain()
    fork = jobs.fork(run.id, "after", outputs={"fails": "mended"})
    drain()
    assert [jobs.get(one.id).output for one in (run, fork)] == ["after failed", "after mended"]


def test_a_run_that_has_not_ended_can_be_forked_and_goes_on_itself() -> None:
    @job("parallel")
    async def parallel(step: StepContext) -> list[Any]:
        return list(
            await asyncio.gather(step.run("a", lambda: 1), step.wait_for_signal("go"), step.run("b", lambda: 2))
        )

    run = begin(parallel)
    drain()
    fork = jobs.fork(run.id, "b")
    drain()
    assert jobs.get(fork.id).status == RunStatus.WAITING, jobs.get(fork.id).error
    for one in (run, fork):
        jobs.signal(one.id, "go", "x")
    drain()
    assert [jobs.get(one.id).output for one in (run, fork)] == [[1, "x", 2]] * 2


def test_a_fork_keeps_the_failure_of_a_child_and_starts_none_again() -> None:
    @job("breaks")
    async def breaks(step: StepContext) -> None:
        raise ZeroDivisionError

    @job("parent")
    async def parent(step: StepContext) -> list[str]:
        begun = await step.start_child("beside", breaks)
        try:
            await step.child("child", breaks)
        except ChildFailed as exc:
            found = exc.status
        return [found, str(begun), await step.run("last", lambda: "last")]

    run = begin(parent)
    drain()
    forks = [jobs.fork(run.id, "last") for _ in range(2)]
    drain()
    ended = jobs.get(run.id)
    assert ended.output[0] == "failed", ended.error
    assert [jobs.get(fork.id).output for fork in forks] == [ended.output] * 2
    assert Run.objects.filter(job="breaks").count() == 2
