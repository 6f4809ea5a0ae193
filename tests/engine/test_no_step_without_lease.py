"""While the lease may have run out another worker may be at these very steps."""

import threading
from uuid import UUID

import pytest
from django.db.models import F

from runs import jobs
from runs.engine import transactional
from runs.engine.batches import Handle
from runs.engine.store.transitions import Entry, Written
from runs.jobs import StepContext, job
from runs.models import Run
from tests.engine.driver import Driver, begin, types, until


def test_no_step_begins_before_the_lease_is_known_to_be_held_again(driver: Driver) -> None:
    calls: list[str] = []
    held = threading.Event()
    held.set()
    driver.world.holds_lease = held.is_set

    @job("two-steps")
    async def two_steps(step: StepContext) -> None:
        await step.run("first", held.clear)
        await step.run("second", calls.append, "second")

    lost = begin(two_steps)
    driver.claim()
    until(lambda: "step:complete" in types(lost))
    jobs.cancel(lost.id)
    driver.call(driver.executions[0].lose)
    assert driver.outcome(lost).value == "lost"
    assert calls == []

    kept = begin(two_steps)
    held.set()
    driver.claim()
    until(lambda: "step:complete" in types(kept))
    held.set()
    until(lambda: jobs.get(kept.id).has_ended)
    assert calls == ["second"]


def test_a_transaction_that_another_has_taken_over_by_now_does_not_call_its_function(driver: Driver) -> None:
    """As when it waited for the lock of SQLite's file longer than its lease lasted."""
    calls: list[str] = []

    def taken_over_after_the_boundary() -> bool:
        Run.objects.update(lease_token=F("lease_token") + 1)
        return True

    driver.world.holds_lease = lambda: driver.world.step_threads.submit(taken_over_after_the_boundary).result()

    @job("transaction")
    async def transaction(step: StepContext) -> None:
        await step.transaction("write", calls.append, "called")

    run = begin(transaction)
    driver.claim()
    assert driver.outcome(run).value == "lost"
    assert calls == []


def test_a_stream_whose_start_was_answered_after_the_lease_does_not_call_its_function(
    driver: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []
    held = threading.Event()
    held.set()
    driver.world.holds_lease = held.is_set
    commit = driver.world.writer.commit

    def answered_late(entries: list[Entry]) -> dict[UUID, Written]:
        written = commit(entries)
        if any(row.kind == "stream" for row in entries[0].step_rows()):
            held.clear()
        return written

    monkeypatch.setattr(driver.world.writer, "commit", answered_late)

    @job("streams")
    async def streams(step: StepContext) -> None:
        await step.stream("write", lambda emit: calls.append("called"))

    run = begin(streams)
    driver.claim()
    until(lambda: "step:start" in types(run))
    driver.call(driver.executions[0].lose)
    assert driver.outcome(run).value == "lost"
    assert calls == []


def test_a_transaction_whose_look_at_the_lease_was_answered_late_looks_again(
    driver: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when the connection was deaf for longer than the lease lasts, and another ran the step meanwhile."""
    calls: list[str] = []
    held = threading.Event()
    held.set()
    driver.world.holds_lease = held.is_set
    looks: list[bool] = []
    check = transactional._check_lease

    def answered_late(handle: Handle) -> None:
        check(handle)
        looks.append(held.is_set())
        if len(looks) == 1:
            held.clear()
            return
        held.set()

    monkeypatch.setattr(transactional, "_check_lease", answered_late)

    @job("transaction")
    async def transaction(step: StepContext) -> None:
        await step.transaction("write", calls.append, "called")

    run = begin(transaction)
    driver.claim()
    until(lambda: jobs.get(run.id).has_ended)
    assert (looks, calls) == ([True, False], ["called"])
    assert jobs.get(run.id).status == "completed"
