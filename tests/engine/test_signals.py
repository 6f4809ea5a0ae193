"""Signals: durable, consumed once, in order of arrival, whatever the run does when they come."""

import asyncio
import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, connections, transaction
from pydantic import BaseModel

from runs import jobs
from runs.engine.watch import fetch_leases
from runs.errors import IdempotencyConflict, InvalidOption, RunAlreadyEnded, SignalTimeout
from runs.jobs import StepContext, SyncStepContext, job
from runs.models import Run, RunStatus, Signal, Step
from runs.testing import advance, drain
from tests.engine.driver import Driver, begin, events, types, until
from tests.engine.test_replay import forever


def waiter(times: int = 1, **options: Any) -> Run:
    @job("waiter")
    async def waits(step: StepContext) -> list[Any]:
        return [await step.wait_for_signal("go", **options) for _ in range(times)]

    return begin(waits)


async def until_true(found: list[int]) -> None:
    while not found:
        await asyncio.sleep(0.001)


def consumed() -> list[tuple[Any, str | None]]:
    return list(Signal.objects.order_by("id").values_list("payload", "consumed_by"))


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


def test_a_wait_that_nobody_answers_times_out_in_the_job() -> None:
    @job("patient")
    async def patient(step: StepContext) -> str:
        with pytest.raises(SignalTimeout):
            await step.wait_for_signal("go", timeout=timedelta(days=7))
        return str(await step.wait_for_signal("go"))

    run = begin(patient)
    drain()
    advance(timedelta(days=7))
    drain()
    assert list(Step.objects.order_by("id").values_list("status", flat=True)) == ["failed", "running"]
    jobs.signal(run.id, "go", "late")
    drain()
    assert jobs.get(run.id).output == "late", "the signal after the timeout is for the next wait"


def test_a_signal_that_came_before_the_deadline_counts_also_when_it_is_seen_after_it() -> None:
    run = waiter(timeout=timedelta(days=1))
    drain()
    jobs.signal(run.id, "go", "in time")
    advance(timedelta(days=2))
    drain()
    assert jobs.get(run.id).output == ["in time"]


def test_a_signal_that_competes_with_the_timeout_is_not_lost(driver: Driver) -> None:
    """It commits after the run has looked and before the timeout is written."""
    signalled = threading.Event()
    patched: list[int] = []

    def signal_when_committing(run_id: Any) -> None:
        jobs.signal(run_id, "go", "just in time")
        connections.close_all()
        signalled.set()

    @job("races-its-timeout")
    async def races_timeout(step: StepContext) -> Any:
        await until_true(patched)
        try:
            return await step.wait_for_signal("go", timeout=timedelta(seconds=0.05))
        except SignalTimeout:
            return [signalled.is_set(), await step.wait_for_signal("go")]

    run = begin(races_timeout)
    driver.claim()
    execution = until(lambda: driver.executions)[0]
    commit = execution.commit

    async def late(transition: Any, **options: Any) -> Any:
        if transition.is_conditional and not signalled.is_set():
            await asyncio.to_thread(signal_when_committing, run.id)
        return await commit(transition, **options)

    execution.commit = late
    patched.append(1)
    until(lambda: jobs.get(run.id).has_ended)
    assert jobs.get(run.id).output == "just in time"


def test_two_waits_of_one_signal_take_it_in_the_order_of_their_calls() -> None:
    @job("two")
    async def two(step: StepContext) -> list[Any]:
        return list(await asyncio.gather(*(step.wait_for_signal("go", name=name) for name in ("a", "b", "c"))))

    run = begin(two)
    drain()
    for number in (1, 2, 3):
        jobs.signal(run.id, "go", number)
        drain()
    assert jobs.get(run.id).output == [1, 2, 3]
    assert [name for _, name in consumed()] == ["a", "b", "c"]


def test_what_one_branch_reads_wakes_the_wait_of_another(driver: Driver, settings: Any) -> None:
    """Both signals arrive at once; the look of one branch finds the other's too."""
    settings.RUNS_UNLOAD_AFTER = 60

    @job("both")
    async def both(step: StepContext) -> list[Any]:
        return list(await asyncio.gather(step.wait_for_signal("x"), step.wait_for_signal("y")))

    run = begin(both)
    driver.claim()
    until(lambda: Step.objects.count() == 2)
    execution = driver.executions[0]
    until(lambda: len(execution._waiting.load.parked) == 2)
    with transaction.atomic():
        jobs.signal(run.id, "y", 2)
        jobs.signal(run.id, "x", 1)
    driver.call(execution.mailbox.mark_stale)
    driver.call(next(iter(execution._waiting.load.parked)).set_result, None)
    until(lambda: jobs.get(run.id).has_ended)
    assert jobs.get(run.id).output == [1, 2]


def test_a_cancelled_look_does_not_hide_the_mail_from_others(driver: Driver) -> None:
    @job("impatient")
    async def impatient(step: StepContext) -> Any:
        async def first() -> None:
            await step.wait_for_signal("go", name="first")

        await until_true(patched)
        task = asyncio.create_task(first())
        await until_true(looks)
        task.cancel()
        await asyncio.wait([task])
        return await step.wait_for_signal("go", name="second")

    looks: list[int] = []
    patched: list[int] = []
    run = begin(impatient)
    jobs.signal(run.id, "go", 1)
    driver.claim()
    execution = until(lambda: driver.executions)[0]
    read = execution._read_mail

    async def slow(after: int) -> Any:
        looks.append(after)
        if len(looks) == 1:
            await forever()
        return await read(after)

    execution.mailbox._read = slow
    patched.append(1)
    until(lambda: jobs.get(run.id).has_ended)
    assert jobs.get(run.id).output == 1
    assert consumed() == [(1, "second")]


def test_a_wait_that_the_job_cancels_gives_its_signal_to_the_next_one(driver: Driver) -> None:
    tasks: list[asyncio.Task[Any]] = []

    @job("cancels")
    async def cancels(step: StepContext) -> Any:
        other = asyncio.create_task(step.wait_for_signal("go", name="other"))
        tasks.append(asyncio.create_task(step.wait_for_signal("go", name="first")))
        await asyncio.wait([tasks[0]])
        return [tasks[0].cancelled(), await other]

    run = begin(cancels)
    jobs.signal(run.id, "never")
    driver.claim()
    execution = until(lambda: driver.executions)[0]
    commit = execution.commit

    async def cancelled_meanwhile(transition: Any, **options: Any) -> Any:
        if transition.letters and transition.letters[0].consumed_by == "first":
            tasks[0].cancel()
        return await commit(transition, **options)

    execution.commit = cancelled_meanwhile
    until(lambda: Step.objects.count() == 2 or jobs.get(run.id).has_ended)
    jobs.signal(run.id, "go", 1)
    jobs.signal(run.id, "go", 2)
    driver.call(execution.see, fetch_leases([run.id])[run.id])
    until(lambda: jobs.get(run.id).has_ended)
    assert jobs.get(run.id).output == [True, 1]
    assert consumed() == [(None, None), (1, "other"), (2, None)]


class Decision(BaseModel):
    ok: bool


def test_a_type_is_given_to_the_job_live_and_on_replay() -> None:
    met: list[Any] = []

    @job("typed")
    async def typed(step: StepContext) -> bool:
        decision = await step.wait_for_signal("decide", type=Decision)
        met.append(decision)
        await step.sleep("nap", timedelta(days=1))
        return bool(decision.ok)

    run = begin(typed)
    jobs.signal(run.id, "decide", {"ok": True})
    drain()
    advance(timedelta(days=1))
    drain()
    assert jobs.get(run.id).output is True
    assert met == [Decision(ok=True)] * 2


def test_a_payload_that_does_not_fit_fails_the_wait_and_is_consumed() -> None:
    run = waiter(type=Decision)
    jobs.signal(run.id, "go", {"ok": "perhaps"})
    drain()
    assert jobs.get(run.id).error["type"] == "InvalidSignal"
    assert consumed()[0][1] == "signal:go#1"
    jobs.retry(run.id)
    drain()
    assert jobs.get(run.id).status == RunStatus.WAITING, "another signal may fit"
    jobs.signal(run.id, "go", {"ok": True})
    drain()
    assert jobs.get(run.id).output == [{"ok": True}]


def test_one_of_several_signals_says_which() -> None:
    @job("either")
    async def either(step: StepContext) -> list[Any]:
        found = [await step.wait_for_signal(["yes", "no"]) for _ in range(2)]
        return [[one.name, one.payload] for one in found]

    run = begin(either)
    drain()
    jobs.signal(run.id, "no", 1)
    jobs.signal(run.id, "yes", 2)
    drain()
    assert jobs.get(run.id).output == [["no", 1], ["yes", 2]]


def test_a_sender_that_stays_in_its_transaction_holds_up_no_other_run(driver: Driver) -> None:
    """On SQLite every writer waits for the one write lock, as for any other transaction; nothing is lost."""
    seconds = 2.0 if connection.vendor == "postgresql" else 0.2
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
    assert sent.wait(10)
    if connection.vendor == "postgresql":
        driver.claim()
        until(lambda: all(jobs.get(one.id).has_ended for one in others), 1.5)
        assert finished == ["ticks"] * 3
        ended.set()
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


def test_a_plain_function_waits_for_signals_too() -> None:
    @job("plain-waiter")
    def plain(step: SyncStepContext) -> list[Any]:
        try:
            step.wait_for_signal("go", timeout=timedelta(days=1))
        except SignalTimeout:
            return ["late", step.wait_for_signal("go")]
        return []

    run = begin(plain)
    drain()
    advance(timedelta(days=1))
    drain()
    jobs.signal(run.id, "go", 1)
    drain()
    assert jobs.get(run.id).output == ["late", 1]
