"""Queries answer from what is recorded; the run is neither woken, nor loaded, nor changed."""

import threading
from typing import Any

import pytest
from django.db import OperationalError
from django.db.utils import InternalError
from pydantic import BaseModel, SecretStr

from runs import jobs
from runs.errors import (
    HandlerNotFound,
    HandlerTimeout,
    HistoryPruned,
    InvalidArguments,
    InvalidJob,
    QueryFailed,
    RunNotFound,
)
from runs.jobs import Job, RunView, StepContext, SyncStepContext, job
from runs.models import Run, RunStatus
from runs.testing import drain
from tests.engine.driver import begin, types


class Page(BaseModel):
    first: int = 0
    size: int = 2


def asked() -> Job:
    @job("asked")
    async def asked(step: StepContext) -> str:
        step.state.set({"seen": ["a", "b", "c"]})
        await step.run("look", lambda: {"found": 3})
        return str(await step.wait_for_signal("go"))

    @asked.query
    def seen(view: RunView, page: Page) -> list[str]:
        """What was seen, a page of it."""
        return list(view.state["seen"][page.first : page.first + page.size])

    @asked.query(name="where is it")
    def where(view: RunView) -> Any:
        return [view.status, view.output, view.steps["look"].output, [one["type"] for one in view.history()][:2]]

    return asked


def row(run: Run) -> Any:
    return Run.objects.filter(id=run.id).values().get()


def test_a_waiting_run_answers_and_stays_as_it_is() -> None:
    run = begin(asked())
    drain()
    before = row(run)
    assert jobs.query(run.id, "seen", {"first": 1}) == ["b", "c"]
    assert jobs.query(run.id, "where is it") == ["waiting", None, {"found": 3}, ["run:queued", "run:start"]]
    assert row(run) == before


def test_a_run_that_has_not_begun_and_one_that_has_ended_answer() -> None:
    run = begin(asked())
    assert jobs.get(run.id).status == RunStatus.QUEUED
    with pytest.raises(QueryFailed, match="KeyError"):
        jobs.query(run.id, "seen", {})
    jobs.signal(run.id, "go", "there")
    drain()
    assert jobs.query(run.id, "where is it")[:2] == ["completed", "there"]


def test_what_was_cleaned_up_is_refused_and_the_rest_answers() -> None:
    made = asked()

    @made.query
    def output(view: RunView) -> Any:
        return view.output

    run = begin(made)
    jobs.signal(run.id, "go", 1)
    drain()
    Run.objects.filter(id=run.id).update(first_sequence=9)
    for name in ("seen", "where is it"):
        with pytest.raises(HistoryPruned):
            jobs.query(run.id, name)
    assert jobs.query(run.id, "output") == "1"


@pytest.mark.parametrize("given", [{"first": "x"}, {"size": None}, [], "first", 0], ids=str)
def test_arguments_that_do_not_fit_are_named(given: Any) -> None:
    run = begin(asked())
    with pytest.raises(InvalidArguments) as refused:
        jobs.query(run.id, "seen", given)
    assert refused.value.fields


def test_arguments_are_refused_where_none_are_taken() -> None:
    run = begin(asked())
    with pytest.raises(InvalidArguments):
        jobs.query(run.id, "where is it", {"first": 1})


def test_an_unknown_query_and_an_unknown_run_are_told_apart() -> None:
    run = begin(asked())
    with pytest.raises(HandlerNotFound, match="seen, where is it"):
        jobs.query(run.id, "nothing")
    with pytest.raises(RunNotFound):
        jobs.query("nothing", "seen")


class Login(BaseModel):
    user: str
    password: SecretStr


def failing(settings: Any) -> Job:
    settings.RUNS_MAX_PAYLOAD_BYTES = 10_000

    @job("fails")
    async def fails(step: StepContext, login: Login) -> None:
        return None

    @fails.query
    def raises(view: RunView) -> None:
        raise ValueError("no\x00 luck")

    @fails.query
    def large(view: RunView) -> str:
        return "x" * 10_001

    @fails.query
    def strange(view: RunView) -> Any:
        return {1: object()}

    @fails.query
    def write(view: RunView) -> int:
        return Run.objects.update(reason="written")

    @fails.query
    def secret(view: RunView) -> Any:
        return view.input

    return fails


@pytest.mark.parametrize(
    ("name", "said"),
    [("raises", "ValueError"), ("large", "10003 bytes"), ("strange", "not JSON"), ("write", "only|read")],
)
def test_a_handler_that_fails_answers_with_what_is_wrong(settings: Any, name: str, said: str) -> None:
    run = begin(failing(settings), {"user": "a", "password": "b"})
    before = row(run)
    with pytest.raises(QueryFailed, match=said) as failed:
        jobs.query(run.id, name)
    assert str(failed.value).isprintable() or name == "raises"
    assert row(run) == before
    if name == "write":
        assert isinstance(failed.value.__cause__, (OperationalError, InternalError))
    assert jobs.query(run.id, "secret") == {"user": "a", "password": "***"}, "the next query works, and masks secrets"


def test_a_handler_that_takes_too_long_is_left_behind(settings: Any) -> None:
    settings.RUNS_QUERY_SECONDS = 0.05
    enough = threading.Event()

    @job("slow")
    def slow(step: SyncStepContext) -> None:
        return None

    @slow.query
    def wait(view: RunView) -> bool:
        return enough.wait(60)

    @slow.query
    def raises(view: RunView) -> None:
        raise TimeoutError("its own")

    run = begin(slow)
    with pytest.raises(HandlerTimeout, match=r"query 'wait'.*0.05 s"):
        jobs.query(run.id, "wait")
    enough.set()
    settings.RUNS_QUERY_SECONDS = 60
    with pytest.raises(QueryFailed, match="its own"):
        jobs.query(run.id, "raises")
    assert types(run) == ["run:queued"]


def test_what_cannot_be_a_handler_is_refused_at_registration() -> None:
    made = asked()

    async def is_async(view: RunView) -> None: ...
    def is_sync(step: StepContext) -> None: ...
    def takes_three(view: RunView, one: int, two: int) -> None: ...
    def seen(view: RunView) -> None: ...

    for register, function in [
        (made.query, is_async), (made.query, takes_three), (made.query, seen), (made.update, is_sync),
        (made.query(name="a/b"), lambda view: None), (made.query(name="x" * 201), lambda view: None),
    ]:  # fmt: skip
        with pytest.raises(InvalidJob):
            register(function)
    assert list(made.queries) == ["seen", "where is it"]
    assert not made.updates
