"""Signals: durable, consumed once, in order of arrival, whatever the run does when they come."""

import asyncio
import threading
from typing import Any

import pytest
from django.db import connection, connections, transaction

from runs import jobs
from runs.errors import IdempotencyConflict, InvalidOption, RunAlreadyEnded
from runs.jobs import StepContext, job
from runs.models import RunStatus, Signal, Step
from runs.testing import drain
from tests.engine.driver import Driver, begin, events, types, until
from tests.engine.waiters import consumed, waiter


def test_a_waiting_run_holds_no_worker_and_goes_on_with_the_signal() -> None:
    run = waiter()
    drain()
    waiting = jobs.get(run.id)
    assert (waiting.status, waiting.reason, waiting.due_at) == (RunStatus.WAITING, "signal go", None)
    assert waiting.lease_worker is None
    jobs.signal(run.id, "go", {"by": "us"})
    drain()
    assert jobs.get(run.id).output == [{"by": "us"}]
    assert consumed() == [({"by": "us"}, "signal:go#1")]
    assert [one for one in types(run) if one.startswith("signal")] == ["signal:receive", "signal:consume"]


def test_signals_before_the_wait_are_taken_in_order_of_arrival_by_a_loop() -> None:
    run = waiter(3)
    for number in (1, 2):
        jobs.signal(run.id, "go", number)
    drain()
    assert jobs.get(run.id).status == RunStatus.WAITING
    jobs.signal(run.id, "go", 3)
    drain()
    assert jobs.get(run.id).output == [1, 2, 3]
    assert [name for _, name in consumed()] == ["signal:go#1", "signal:go#2", "signal:go#3"]


def test_a_signal_while_a_step_runs_waits_for_its_wait_and_starts_no_step_again(driver: Driver) -> None:
    calls: list[int] = []
    go = threading.Event()

    @job("works-first")
    async def works(step: StepContext) -> Any:
        async def work() -> None:
            calls.append(1)
            await asyncio.to_thread(go.wait, 10)

        await step.run("work", work)
        return await step.wait_for_signal("go")

    run = begin(works)
    driver.claim()
    until(lambda: calls)
    jobs.signal(run.id, "go", 1)
    go.set()
    until(lambda: jobs.get(run.id).has_ended)
    assert (jobs.get(run.id).output, calls) == (1, [1])


def test_a_signal_while_no_worker_lives_is_taken_by_the_next_one(driver: Driver, settings: Any) -> None:
    settings.RUNS_UNLOAD_AFTER = 60
    run = waiter()
    driver.claim()
    until(lambda: Step.objects.exists())
    driver.kill()
    jobs.signal(run.id, "go", 1)
    drain()
    assert jobs.get(run.id).output == [1]
    assert [one for one in types(run) if one.startswith("step")] == ["step:start", "step:complete"]


def test_one_idempotency_key_is_one_signal() -> None:
    run = waiter(2)
    first = jobs.signal(run.id, "go", 1, idempotency_key="k")
    again = jobs.signal(run.id, "go", 1, idempotency_key="k")
    assert (first.disposition, again.disposition) == ("created", "idempotent")
    assert first.signal.pk == again.signal.pk
    with pytest.raises(IdempotencyConflict):
        jobs.signal(run.id, "go", 2, idempotency_key="k")
    drain()
    assert jobs.get(run.id).status == RunStatus.WAITING
    assert types(run).count("signal:receive") == 1


def test_an_ended_run_takes_no_signal() -> None:
    run = waiter()
    jobs.cancel(run.id)
    before = types(run)
    with pytest.raises(RunAlreadyEnded):
        jobs.signal(run.id, "go")
    assert (types(run), Signal.objects.count()) == (before, 0)


@pytest.mark.parametrize("name", ["", "x" * 201, "a\x00", "\ud800", "two\nlines"])
def test_a_bad_name_is_refused_and_changes_nothing(name: str) -> None:
    run = waiter()
    with pytest.raises(InvalidOption):
        jobs.signal(run.id, name)
    assert types(run) == ["run:queued"]


def test_a_sender_that_stays_in_its_transaction_holds_up_no_other_run(driver: Driver) -> None:
    """On SQLite every writer waits for the one write lock, as for any other transaction; nothing is lost."""
    seconds = 60 if connection.vendor == "postgresql" else 0.2
    finished: list[str] = []

    @job("ticks")
    async def ticks(step: StepContext) -> None:
        for number in range(5):
            await step.run(f"tick {number}", lambda: None)
        finished.append("ticks")

    run = waiter()
    drain()
    sent, ended = threading.Event(), threading.Event()

    def send() -> None:
        try:
            with transaction.atomic():
                jobs.signal(run.id, "go", 1)
                sent.set()
                ended.wait(seconds)
            finished.append("signal")
        finally:
            connections.close_all()

    others = [begin(ticks) for _ in range(3)]
    sender = threading.Thread(target=send)
    sender.start()
    assert sent.wait(60)
    try:
        if connection.vendor == "postgresql":
            driver.claim()
            until(lambda: all(jobs.get(one.id).has_ended for one in others), 30)
            assert finished == ["ticks"] * 3
            ended.set()
    finally:
        sender.join()
    until(lambda: (driver.claim(), jobs.get(run.id).has_ended)[1])
    assert jobs.get(run.id).output == [1]
    assert types(run).count("signal:consume") == 1


def test_a_signal_that_is_rolled_back_was_never_sent() -> None:
    run = waiter()
    drain()
    with transaction.atomic():
        jobs.signal(run.id, "go", 1)
        transaction.set_rollback(True)
    assert drain() == []
    assert jobs.get(run.id).status == RunStatus.WAITING
    events(run)
