"""`step.state`: the run's document, written with the steps and replayed by the job's code."""

import asyncio
from datetime import timedelta
from typing import Any

import jsonpatch
import pytest

from runs import jobs
from runs.errors import InvalidState, StorageError
from runs.jobs import StepContext, SyncStepContext, job
from runs.models import Run, State
from runs.testing import advance, drain
from tests.engine.driver import begin, events


def patched(run: Run) -> Any:
    """The document that the run's patches lead to."""
    document: Any = {}
    for event in events(run):
        if event.type == "state:patch":
            document = jsonpatch.apply_patch(document, event.data["patch"])
    return document


def test_each_change_is_one_patch_and_the_row_holds_the_last() -> None:
    @job("stateful")
    async def stateful(step: StepContext) -> list[Any]:
        step.state.set({"n": 0, "list": []})
        for n in range(1, 3):
            await step.run(f"step {n}", lambda: None)
            step.state.update(n=n)
            step.state.patch([{"op": "add", "path": "/list/-", "value": n}])
            await step.sleep(f"nap {n}", timedelta(days=1))
        return [step.state.value, step.state.get("n"), step.state.get("missing", 5)]

    run = begin(stateful)
    for _ in range(3):
        drain()
        advance(timedelta(days=1))
    document = {"n": 2, "list": [1, 2]}
    assert jobs.get(run.id).output == [document, 2, 5]
    assert State.objects.get().value == document == patched(run)
    assert [event.type for event in events(run)].count("state:patch") == 5


def test_a_bad_change_changes_nothing() -> None:
    bad: list[tuple[type[Exception], str, Any]] = [
        (InvalidState, "set", [1]),
        (StorageError, "set", {"a": float("nan")}),
        (InvalidState, "patch", [{"op": "remove", "path": "/missing"}]),
        (InvalidState, "patch", [{"op": "replace", "path": "", "value": 1}]),
        (InvalidState, "patch", [{"op": "what", "path": "/a"}]),
    ]

    @job("badly-stated")
    async def badly(step: StepContext) -> Any:
        step.state.set({"a": 1})
        for error, method, value in bad:
            with pytest.raises(error):
                getattr(step.state, method)(value)
        return step.state.value

    run = begin(badly)
    drain()
    ended = jobs.get(run.id)
    assert ended.output == {"a": 1} == State.objects.get().value, ended.error


def test_what_the_job_holds_is_a_copy() -> None:
    @job("copies")
    async def copies(step: StepContext) -> Any:
        given: dict[str, Any] = {"deep": [1]}
        step.state.set(given)
        given["deep"].append(2)
        step.state.value["deep"].append(3)
        step.state.get("deep").append(4)
        return step.state.value

    run = begin(copies)
    drain()
    assert jobs.get(run.id).output == {"deep": [1]}


def test_a_step_function_may_not_change_it() -> None:
    @job("inside")
    async def inside(step: StepContext) -> None:
        await step.run("change", lambda: step.state.set({"a": 1}))

    run = begin(inside)
    drain()
    assert "StepOutsideJob" in jobs.get(run.id).error["message"]
    assert not State.objects.exists()


def test_branches_change_it_once_each_over_waits() -> None:
    @job("branched-state")
    async def branched(step: StepContext) -> Any:
        async def one(number: int) -> None:
            step.state.update(**{f"before {number}": True})
            await step.sleep(f"nap {number}", timedelta(days=number))
            step.state.update(**{f"after {number}": True})

        await asyncio.gather(*(one(number) for number in (1, 2)))
        return sorted(step.state.value)

    run = begin(branched)
    for _ in range(3):
        drain()
        advance(timedelta(days=1))
    assert jobs.get(run.id).output == ["after 1", "after 2", "before 1", "before 2"]
    assert sorted(patched(run)) == ["after 1", "after 2", "before 1", "before 2"]


def test_a_plain_function_has_it_too() -> None:
    @job("plain-state")
    def plain(step: SyncStepContext) -> Any:
        step.state.set({"a": 1})
        step.sleep("nap", timedelta(days=1))
        step.state.update(b=2)
        return step.state.value

    run = begin(plain)
    drain()
    advance(timedelta(days=1))
    drain()
    assert jobs.get(run.id).output == {"a": 1, "b": 2} == patched(run)
