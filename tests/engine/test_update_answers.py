"""What those who send an update are told: the result, a refusal, or that the run ended."""

import threading
import time
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections, transaction

from runs import jobs
from runs.errors import (
    HandlerNotFound,
    IdempotencyConflict,
    InvalidArguments,
    RunAlreadyEnded,
    UpdateNotFound,
    UpdateRefused,
)
from runs.jobs import StepContext, job
from runs.models import Run, RunStatus, Signal, Step
from runs.testing import drain
from tests.engine.counting import assert_done, counter, state_of
from tests.engine.driver import Driver, begin, types, until


def test_who_waits_gets_the_result_as_soon_as_it_is_there(driver: Driver) -> None:
    run = begin(counter())
    drain()
    answers: list[Any] = []
    asking = threading.Thread(target=lambda: answers.append(ask(run)))
    asking.start()
    until(lambda: Signal.objects.exists())
    driver.claim()
    asking.join(60)
    assert [(one.status, one.result) for one in answers] == [("completed", 1)]


def ask(run: Run) -> jobs.UpdateAnswer:
    try:
        return jobs.update(run.id, "add", wait=timedelta(seconds=10))
    finally:
        connections.close_all()


def test_nobody_waits_inside_a_transaction_whose_rows_no_worker_can_see() -> None:
    run = begin(counter())
    before = time.monotonic()
    with transaction.atomic():
        assert jobs.update(run.id, "add", wait=timedelta(seconds=60)).status == "accepted"
    assert time.monotonic() - before < 30


def test_one_idempotency_key_is_one_update() -> None:
    run = begin(counter())
    first = jobs.update(run.id, "add", {"by": 1}, idempotency_key="k")
    assert jobs.update(run.id, "add", {"by": 1}, idempotency_key="k").id == first.id
    with pytest.raises(IdempotencyConflict):
        jobs.update(run.id, "add", {"by": 2}, idempotency_key="k")
    with pytest.raises(IdempotencyConflict):
        jobs.signal(run.id, "add", {"by": 1}, idempotency_key="k")
    jobs.signal(run.id, "stop")
    drain()
    again = jobs.update(run.id, "add", {"by": 1}, idempotency_key="k")
    assert (again.status, again.result) == ("completed", 1), "also after the end of the run"
    assert types(run).count("update:accept") == 1


@pytest.mark.parametrize(
    ("name", "payload", "refusal"),
    [
        ("add", {"by": -1}, UpdateRefused), ("add", {"by": "x"}, InvalidArguments), ("add", [], InvalidArguments),
        ("fail", {"x": 1}, InvalidArguments), ("nothing", None, HandlerNotFound),
    ],
)  # fmt: skip
def test_what_is_refused_is_not_recorded(name: str, payload: Any, refusal: type[Exception]) -> None:
    run = begin(counter())
    with pytest.raises(refusal):
        jobs.update(run.id, name, payload)
    assert (types(run), Signal.objects.count()) == (["run:queued"], 0)


def test_an_ended_run_takes_no_update() -> None:
    run = begin(counter())
    jobs.cancel(run.id)
    before = types(run)
    with pytest.raises(RunAlreadyEnded):
        jobs.update(run.id, "add", {"by": -1})
    assert (types(run), Signal.objects.count()) == (before, 0)


@pytest.mark.parametrize("name", ["fail", "wrong"])
def test_a_handler_that_fails_changes_nothing_and_the_run_goes_on(name: str) -> None:
    run = begin(counter())
    drain()
    sent = jobs.update(run.id, name)
    drain()
    failed = jobs.get_update(run.id, sent.id)
    assert failed.status == "failed"
    assert failed.error is not None
    assert failed.error["type"] == {"fail": "ValueError", "wrong": "InvalidOutput"}[name]
    assert types(run)[-2:] in (["update:fail", "run:wait"], ["run:resume", "update:fail"])
    assert (state_of(run), jobs.get(run.id).status) == ({"count": 0}, RunStatus.WAITING)
    jobs.signal(run.id, "stop")
    drain()
    assert_done(run, 0)


@pytest.mark.parametrize("end", ["cancel", "fail"])
def test_whoever_waits_for_a_run_that_ends_gets_an_answer(end: str) -> None:
    run = begin(counter())
    drain()
    begun = jobs.update(run.id, "ask first")
    drain()
    behind = jobs.update(run.id, "add")
    if end == "cancel":
        jobs.cancel(run.id)
    else:
        Run.objects.filter(id=run.id).update(status=RunStatus.FAILED, error={"steps": []})
    for sent in (begun, behind):
        answer = jobs.get_update(run.id, sent.id)
        assert (answer.status, answer.error and answer.error["type"]) == ("failed", "RunAlreadyEnded")


def test_a_retry_does_not_handle_what_was_answered_as_failed() -> None:
    fails = [True]

    @job("fails-once")
    async def fails_once(step: StepContext) -> Any:
        await step.wait_for_signal("go")
        if fails:
            raise ValueError
        await step.run("after", lambda: None)
        return step.state.value

    @fails_once.update
    async def ask_first(step: StepContext) -> Any:
        said = await step.wait_for_signal("say")
        step.state.update(said=said)
        return said

    run = begin(fails_once)
    drain()
    left = jobs.update(run.id, "ask_first")
    drain()
    jobs.signal(run.id, "go")
    drain()
    assert jobs.get_update(run.id, left.id).status == "failed"
    fails.clear()
    jobs.retry(run.id)
    again = jobs.update(run.id, "ask_first")
    jobs.signal(run.id, "say", "later")
    drain()
    assert jobs.get_update(run.id, left.id).status == "failed"
    assert jobs.get_update(run.id, again.id).result == "later"
    assert Step.objects.get(name="signal:say#1@u1").status == "cancelled"
    assert jobs.get(run.id).status == RunStatus.COMPLETED, jobs.get(run.id).error
    assert types(run).count("update:fail") == 1


def test_an_update_of_another_run_is_not_found() -> None:
    run, other = begin(counter()), begin(counter())
    sent = jobs.update(run.id, "add")
    signal = jobs.signal(run.id, "stop").signal
    for run_id, update_id in ((other.id, sent.id), (run.id, signal.pk), (run.id, 0), (run.id, 2**70)):
        with pytest.raises(UpdateNotFound):
            jobs.get_update(run_id, update_id)
