"""Updates: handlers that run inside the run, once each, in order of arrival, with their result for who asked."""

import asyncio
import threading
import time
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from pydantic import BaseModel

from runs import jobs
from runs.errors import (
    HandlerNotFound,
    IdempotencyConflict,
    InvalidArguments,
    RunAlreadyEnded,
    UpdateNotFound,
    UpdateRefused,
)
from runs.jobs import Job, RunView, StepContext, SyncStepContext, job
from runs.models import Run, RunStatus, Signal, State, Step
from runs.testing import drain
from tests.engine.driver import Driver, begin, events, types, until


class Amount(BaseModel):
    by: int = 1


def counter() -> Job:
    @job("counts")
    async def counts(step: StepContext) -> Any:
        step.state.set({"count": 0})
        await step.wait_for_signal("stop")
        return step.state.get("count")

    @counts.update
    async def add(step: StepContext, amount: Amount) -> int:
        """Count on."""
        step.log.info("adding", by=amount.by)
        count = step.state.get("count") + await step.run("measure", lambda: amount.by)
        step.state.update(count=count)
        return int(count)

    @add.validator
    def check(view: RunView, amount: Amount) -> None:
        if amount.by < 0:
            raise ValueError("it only counts up")

    @counts.update
    async def fail(step: StepContext) -> None:
        step.state.update(count=1000)
        raise ValueError("no luck")

    @counts.update
    async def wrong(step: StepContext) -> int:
        return "text"  # type: ignore[return-value]

    @counts.update(name="ask first")
    async def ask_first(step: StepContext) -> Any:
        said = await step.wait_for_signal("say")
        step.state.update(said=said)
        return said

    return counts


def state_of(run: Run) -> Any:
    return State.objects.get(run=run).value


def assert_done(run: Run, output: Any) -> None:
    ended = jobs.get(run.id)
    assert (ended.status, ended.output) == (RunStatus.COMPLETED, output), ended.error
    assert not Signal.objects.filter(consumed_by=None).exists()
    events(run)


def test_a_waiting_run_handles_an_update_and_goes_on_waiting() -> None:
    run = begin(counter())
    drain()
    sent = jobs.update(run.id, "add", {"by": 2})
    assert (sent.status, sent.result, sent.finished_at) == ("accepted", None, None)
    drain()
    done = jobs.get_update(run.id, sent.id)
    assert (done.status, done.result, done.error) == ("completed", 2, None)
    assert (state_of(run), jobs.get(run.id).status) == ({"count": 2}, RunStatus.WAITING)
    assert Step.objects.get(name="measure@u1").branch == "u1"
    told = [one for one in events(run) if one.type.startswith(("update", "state"))]
    assert [one.type for one in told] == ["state:patch", "update:accept", "state:patch", "update:complete"]
    assert (told[1].data["update"], told[1].data["actor"]["kind"]) == ("add", "system")
    assert told[2].data["patch"] == [{"op": "replace", "path": "/count", "value": 2}]
    assert told[3].data == {"update": "add", "id": sent.id, "result": 2}
    jobs.signal(run.id, "stop")
    drain()
    assert_done(run, 2)


def test_updates_before_the_run_begins_are_handled_in_order_of_arrival() -> None:
    run = begin(counter())
    sent = [jobs.update(run.id, "add", {"by": by}) for by in (1, 2, 3)]
    jobs.signal(run.id, "stop")
    drain()
    assert [jobs.get_update(run.id, one.id).result for one in sent] == [1, 3, 6]
    assert jobs.get(run.id).status == RunStatus.COMPLETED


def test_a_run_that_would_be_done_at_once_handles_what_came_before() -> None:
    @job("quick")
    async def quick(step: StepContext) -> str:
        return "done"

    @quick.update
    async def look(step: StepContext) -> str:
        return await step.run("look", lambda: "seen")

    run = begin(quick)
    sent = jobs.update(run.id, "look")
    drain()
    assert jobs.get_update(run.id, sent.id).result == "seen"
    assert_done(run, "done")
    assert types(run)[-1] == "run:complete"


def test_an_update_while_a_step_runs_starts_no_step_again(driver: Driver) -> None:
    calls: list[int] = []
    go = threading.Event()

    @job("works")
    async def works(step: StepContext) -> Any:
        async def work() -> None:
            calls.append(1)
            await asyncio.to_thread(go.wait, 10)

        await step.run("work", work)
        return step.state.get("told")

    @works.update
    async def tell(step: StepContext, what: str) -> str:
        step.state.update(told=what)
        return what

    run = begin(works)
    driver.claim()
    until(lambda: calls)
    sent = jobs.update(run.id, "tell", "hurry")
    look(driver, run)
    assert until(lambda: jobs.get_update(run.id, sent.id).result) == "hurry"
    go.set()
    until(lambda: jobs.get(run.id).has_ended)
    assert_done(run, "hurry")
    assert calls == [1]


def look(driver: Driver, run: Run) -> None:
    """What the watch of a driver does when the doorbell rings."""
    from runs.engine.watch import fetch_leases

    for execution in driver.executions:
        if execution.run_id == run.id:
            driver.call(execution.see, fetch_leases([run.id])[run.id])


def test_an_update_while_no_worker_lives_is_handled_by_the_next_one(driver: Driver, settings: Any) -> None:
    settings.RUNS_UNLOAD_AFTER = 60
    run = begin(counter())
    driver.claim()
    until(lambda: Step.objects.exists())
    driver.kill()
    sent = jobs.update(run.id, "add")
    jobs.signal(run.id, "stop")
    drain()
    assert jobs.get_update(run.id, sent.id).result == 1
    assert jobs.get(run.id).output in (0, 1)


def test_who_waits_gets_the_result_as_soon_as_it_is_there(driver: Driver) -> None:
    run = begin(counter())
    drain()
    answers: list[Any] = []
    asking = threading.Thread(target=lambda: answers.append(ask(run)))
    asking.start()
    until(lambda: Signal.objects.exists())
    driver.claim()
    asking.join(10)
    assert [(one.status, one.result) for one in answers] == [("completed", 1)]


def ask(run: Run) -> jobs.UpdateAnswer:
    from django.db import connections

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


def test_a_handler_waits_for_signals_without_a_worker_and_the_run_ends_after_it() -> None:
    run = begin(counter())
    drain()
    sent = jobs.update(run.id, "ask first")
    behind = jobs.update(run.id, "add")
    drain()
    assert (jobs.get(run.id).status, jobs.get(run.id).lease_worker) == (RunStatus.WAITING, None)
    jobs.signal(run.id, "stop")
    drain()
    assert jobs.get(run.id).status == RunStatus.WAITING, "an update is under way"
    assert jobs.get_update(run.id, behind.id).status == "accepted", "one after the other"
    jobs.signal(run.id, "say", "yes")
    drain()
    assert jobs.get_update(run.id, sent.id).result == "yes"
    assert jobs.get_update(run.id, behind.id).result == 1
    assert state_of(run) == {"count": 1, "said": "yes"}
    assert_done(run, 0)


def test_an_update_of_another_run_is_not_found() -> None:
    run, other = begin(counter()), begin(counter())
    sent = jobs.update(run.id, "add")
    signal = jobs.signal(run.id, "stop").signal
    for run_id, update_id in ((other.id, sent.id), (run.id, signal.pk), (run.id, 0), (run.id, 2**70)):
        with pytest.raises(UpdateNotFound):
            jobs.get_update(run_id, update_id)


def test_a_plain_def_job_is_updated_by_an_async_handler() -> None:
    @job("plain")
    def plain(step: SyncStepContext) -> Any:
        step.state.set({"rounds": 0})
        seen = []
        for number in range(3):
            seen.append(step.state.get("told"))
            step.state.update(rounds=number + 1)
            step.wait_for_signal("next")
        return [seen, step.state.value]

    threads: list[str] = []

    @plain.update
    async def tell(step: StepContext, what: str) -> int:
        await step.run("where", lambda: threads.append(threading.current_thread().name))
        step.state.update(told=what)
        return int(step.state.get("rounds"))

    run = begin(plain)
    drain()
    rounds = []
    for number in range(3):
        sent = jobs.update(run.id, "tell", f"t{number}")
        drain()
        rounds.append(jobs.get_update(run.id, sent.id).result)
        jobs.signal(run.id, "next")
        drain()
    assert rounds == [1, 2, 3]
    assert_done(run, [[None, "t0", "t1"], {"rounds": 3, "told": "t2"}])
    assert len(threads) == 3


def test_a_paused_run_handles_its_updates_when_it_is_resumed() -> None:
    run = begin(counter())
    drain()
    jobs.pause(run.id)
    sent = jobs.update(run.id, "add")
    drain()
    assert jobs.get_update(run.id, sent.id).status == "accepted"
    jobs.resume(run.id)
    drain()
    assert jobs.get_update(run.id, sent.id).status == "completed"


def test_tasks_that_a_handler_leaves_end_with_it() -> None:
    made = counter()

    @made.update
    async def leave(step: StepContext) -> str:
        asyncio.create_task(step.wait_for_signal("never"))  # noqa: RUF006
        await asyncio.sleep(0)
        return await step.run("work", lambda: "left")

    run = begin(made)
    drain()
    sent = jobs.update(run.id, "leave")
    drain()
    assert jobs.get_update(run.id, sent.id).result == "left"
    assert Step.objects.get(name="signal:never#1@u1.1@u1").status == "cancelled"
    jobs.signal(run.id, "stop")
    drain()
    assert_done(run, 0)
