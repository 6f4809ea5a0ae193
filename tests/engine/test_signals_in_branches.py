"""Several waits of one run: each signal is taken by one of them, and a wait that is given up takes none."""

import asyncio
from typing import Any

from django.db import transaction

from runs import jobs
from runs.engine.watch import fetch_leases
from runs.jobs import StepContext, job
from runs.models import Step
from runs.testing import drain
from tests.engine.driver import Driver, begin, until
from tests.engine.test_replay import forever
from tests.engine.waiters import consumed, until_true


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
