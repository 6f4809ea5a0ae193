"""A wait with a deadline: it ends once, by its signal or by its time."""

import asyncio
import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections

from runs import jobs
from runs.errors import SignalTimeout
from runs.jobs import StepContext, SyncStepContext, job
from runs.models import Step
from runs.testing import advance, drain
from tests.engine.driver import Driver, begin, until
from tests.engine.waiters import until_true, waiter


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
