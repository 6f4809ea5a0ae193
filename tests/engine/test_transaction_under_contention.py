"""A transactional step whose run somebody else holds, takes over or cancels."""

import asyncio
import threading
from typing import Any

import pytest
from django.db import connections, transaction

from runs import jobs
from runs.engine import transactional
from runs.jobs import StepContext, SyncStepContext, job
from runs.models import RunStatus
from tests.engine.driver import Driver, begin, types, until
from tests.engine.written import groups, make


@pytest.mark.parametrize("plain", [False, True], ids=["async job", "plain job"])
def test_a_lost_lease_takes_the_writes_back(driver: Driver, on_postgresql: bool, plain: bool) -> None:
    """On SQLite nobody else can write meanwhile: there the function itself moves the token on."""
    inside, go = threading.Event(), threading.Event()

    def slow() -> None:
        make()
        inside.set()
        go.wait(60)
        if not on_postgresql:
            jobs.Run.objects.filter(id=run.id).update(lease_token=99)

    if plain:

        @job("loses")
        def loses(step: SyncStepContext) -> None:
            step.transaction("make", slow)
    else:

        @job("loses")
        async def loses(step: StepContext) -> None:
            await step.transaction("make", slow)

    run = begin(loses)
    driver.claim()
    assert inside.wait(60)
    if on_postgresql:
        jobs.cancel(run.id)
    go.set()
    assert driver.outcome(run).value == "lost"
    driver.kill()
    assert groups() == []
    assert "step:complete" not in types(run)


def test_a_cancelled_wait_for_the_writer_leaves_the_run_writable(driver: Driver) -> None:
    """The job cancels the call before the run's earlier writes are done."""
    tasks: list[asyncio.Task[Any]] = []
    locked, release = threading.Event(), threading.Event()

    @job("cancels-early")
    async def cancels_early(step: StepContext) -> str:
        while not locked.is_set():
            await asyncio.sleep(0.001)
        step.log.info("cannot be written yet")
        tasks.append(asyncio.create_task(step.transaction("make", make)))
        await asyncio.wait(tasks)
        return await step.run("after", lambda: "fine")

    def hold() -> None:
        try:
            with transaction.atomic():
                jobs.Run.objects.select_for_update(no_key=True).get(id=run.id)
                locked.set()
                release.wait(60)
        finally:
            connections.close_all()

    run = begin(cancels_early)
    driver.claim()
    holder = threading.Thread(target=hold)
    holder.start()
    execution = until(lambda: driver.executions)[0]
    until(lambda: tasks and execution._handle.pending)
    cancelled = threading.Event()
    driver.call(tasks[0].cancel)
    driver.call(cancelled.set)
    assert cancelled.wait(60)
    release.set()
    holder.join()
    until(lambda: jobs.get(run.id).has_ended)
    assert (jobs.get(run.id).output, groups()) == ("fine", [])


def test_a_row_that_is_held_for_long_has_the_function_called_again(
    driver: Driver, monkeypatch: pytest.MonkeyPatch, on_postgresql: bool
) -> None:
    monkeypatch.setattr(transactional, "LOCK_SECONDS", 0.05)
    calls: list[int] = []
    release = threading.Event()

    def count() -> None:
        calls.append(1)
        make(f"try {len(calls)}")

    def hold() -> None:
        try:
            with transaction.atomic():
                jobs.Run.objects.select_for_update(no_key=True).get(id=run.id)
                locked.set()
                release.wait(60 if on_postgresql else 0.1)
        finally:
            connections.close_all()

    @job("held-up")
    async def held_up(step: StepContext) -> None:
        while not locked.is_set():
            await asyncio.sleep(0.001)
        await step.transaction("make", count)

    locked = threading.Event()
    run = begin(held_up)
    driver.claim()
    holder = threading.Thread(target=hold)
    holder.start()
    if on_postgresql:
        until(lambda: len(calls) == 2)
    release.set()
    holder.join()
    until(lambda: jobs.get(run.id).has_ended)
    assert jobs.get(run.id).status == RunStatus.COMPLETED, jobs.get(run.id).error
    assert groups() == [f"try {len(calls)}"]
