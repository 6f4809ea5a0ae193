"""`step.map`: each item is a step of its own, and a resumed run does only what is missing."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from runs import jobs
from runs.jobs import StepContext, SyncStepContext, job
from runs.models import RunStatus, Step
from runs.testing import advance, drain
from tests.engine.driver import Driver, begin
from tests.engine.test_replay import crash_when, forever


def test_results_are_in_order_and_no_more_at_once_than_asked_for() -> None:
    busy, most = [0], [0]

    async def double(item: int) -> int:
        busy[0] += 1
        most[0] = max(most[0], busy[0])
        await asyncio.sleep(0.001 * (5 - item))
        busy[0] -= 1
        return item * 2

    @job("maps")
    async def maps(step: StepContext) -> list[int]:
        return await step.map("double", double, range(5), concurrency=2)

    run = begin(maps)
    drain()
    assert (jobs.get(run.id).output, most) == ([0, 2, 4, 6, 8], [2])
    assert set(Step.objects.values_list("name", flat=True)) == {f"double[{n}]" for n in range(5)}


def test_a_resumed_run_does_only_the_missing_items(driver: Driver) -> None:
    calls: list[int] = []
    stuck = {2}

    async def work(item: int) -> int:
        calls.append(item)
        if item in stuck:
            await forever()
        return item

    @job("resumes")
    async def resumes(step: StepContext) -> list[int]:
        return await step.map("work", work, range(5), concurrency=5)

    run = begin(resumes)
    crash_when(driver, run, lambda: Step.objects.filter(status="completed").count() == 4)
    stuck.clear()
    drain()
    assert jobs.get(run.id).output == [0, 1, 2, 3, 4]
    assert sorted(calls) == [0, 1, 2, 2, 3, 4]


def test_the_first_failure_is_raised_after_all_others_have_ended() -> None:
    def work(item: int) -> int:
        if item in (1, 3):
            raise ValueError(f"item {item}")
        return item

    @job("fails")
    async def fails(step: StepContext) -> list[int]:
        return await step.map("work", work, range(5))

    run = begin(fails)
    drain()
    assert "item 1" in jobs.get(run.id).error["message"]
    statuses = list(Step.objects.order_by("name").values_list("status", flat=True))
    assert statuses == ["completed", "failed", "completed", "failed", "completed"]


@pytest.mark.parametrize("concurrency", [0, -1])
def test_no_place_at_all_is_refused(concurrency: int) -> None:
    @job("nowhere")
    async def nowhere(step: StepContext) -> list[int]:
        return await step.map("work", lambda item: item, [1], concurrency=concurrency)

    run = begin(nowhere)
    drain()
    assert jobs.get(run.id).error["type"] == "InvalidOption"


def test_no_items_are_no_steps() -> None:
    @job("empty")
    async def empty(step: StepContext) -> list[Any]:
        return await step.map("work", lambda item: item, [])

    run = begin(empty)
    drain()
    assert jobs.get(run.id).output == []


def test_a_policy_counts_for_each_item_and_waits_between_attempts_hold_no_worker() -> None:
    calls: list[int] = []

    def work(item: int) -> int:
        calls.append(item)
        if calls.count(item) == 1:
            raise ValueError
        return item

    @job("patient")
    async def patient(step: StepContext) -> list[int]:
        policy = step.options(retries=jobs.Retry(max_attempts=2, initial=60, jitter=0))
        return await policy.map("work", work, range(3))

    run = begin(patient)
    drain()
    assert jobs.get(run.id).status == RunStatus.WAITING
    advance(timedelta(minutes=1))
    drain()
    assert jobs.get(run.id).output == [0, 1, 2]
    assert sorted(calls) == [0, 0, 1, 1, 2, 2]


def test_a_plain_function_maps_too() -> None:
    @job("plain")
    def plain(step: SyncStepContext) -> list[int]:
        return list(step.map("double", lambda item: item * 2, [1, 2]))

    run = begin(plain)
    drain()
    assert jobs.get(run.id).output == [2, 4]
