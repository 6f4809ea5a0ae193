"""Clean-up under readers and waiting runs: nobody hangs, and nothing that is needed is lost."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.db import connections
from django.test import AsyncClient

from runs import jobs
from runs.errors import RunNotFound
from runs.events import doorbell
from runs.events.log import read_events
from runs.events.types import RunEvent
from runs.live.follow import follow
from runs.live.watcher import READ_LIMIT
from runs.maintenance.retention import Pruned, prune
from runs.models import Run
from runs.testing import advance, drain
from tests.live.conftest import Reader

pytestmark = pytest.mark.django_db(transaction=True)
DAY = timedelta(days=1)
Ended = Callable[..., Run]


@pytest.fixture(autouse=True)
async def _nothing_stays_open() -> AsyncIterator[None]:
    """Followers' watcher and doorbell hold connections, and the test database is emptied after each test."""
    yield
    mine = asyncio.current_task()
    others = [task for task in asyncio.all_tasks() if task is not mine and task.get_name() != "postgresql-connect"]
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    await asyncio.gather(*(asyncio.all_tasks() - {mine}), return_exceptions=True)
    await sync_to_async(connections.close_all)()
    doorbell.hang_up()


async def in_thread(function: Callable[..., Any], *args: Any) -> Any:
    def call() -> Any:
        try:
            return function(*args)
        finally:
            connections.close_all()

    return await asyncio.to_thread(call)


def start_runs(work: jobs.Job, count: int = 10) -> tuple[list[UUID], list[UUID]]:
    """So many that have ended two days ago, and as many that wait."""
    done = [jobs.start(work, {}).run.id for _ in range(count)]
    drain()
    advance(2 * DAY)
    waiting = [jobs.start(work, {"wait": True}).run.id for _ in range(count)]
    drain()
    return done, waiting


async def test_twenty_followers_and_ten_waiting_runs_outlast_a_clean_up(work: jobs.Job) -> None:
    done, waiting = await in_thread(start_runs, work)
    before = {run_id: len(await in_thread(read_events, run_id)) for run_id in waiting}
    readers = [Reader(run_id) for run_id in waiting for _ in range(2)]
    for reader, run_id in zip(readers, [run_id for run_id in waiting for _ in range(2)], strict=True):
        await reader.until(lambda events, count=before[run_id]: len(events) == count)
    late = [Reader(run_id) for run_id in done]
    pruned: Pruned = await in_thread(lambda: prune(batch=3))
    assert (pruned.runs, pruned.trimmed) == (0, 10)
    for run_id in waiting:
        await in_thread(jobs.signal, run_id, "go")
    await in_thread(drain)
    for number, reader in enumerate(readers):
        events = await reader.end()
        assert reader.types[-1] == "run:complete"
        assert reader.sequences == list(range(1, len(events) + 1)), f"reader {number}"
    for reader in late:
        await reader.end()
        assert reader.sequences == sorted(set(reader.sequences))
        assert reader.types[-1] in ("run:complete", "gap")
    for run_id in waiting:
        run: Run = await in_thread(jobs.get, run_id)
        assert (run.status, run.output, run.first_sequence) == ("completed", "done", 1)


async def test_twenty_followers_at_a_place_that_is_cleaned_up_get_a_gap_while_ten_runs_wait(work: jobs.Job) -> None:
    """Each holds the first page of the log in memory; what follows it goes before they ask for it."""

    @jobs.job("talkative")
    async def talkative(step: jobs.StepContext) -> None:
        for number in range(READ_LIMIT + 50):
            step.log.info(f"line {number}")

    def talk() -> Run:
        run = jobs.start(talkative).run
        drain()
        return jobs.get(run.id)

    run: Run = await in_thread(talk)
    _, waiting = await in_thread(start_runs, work)
    readers = [follow(run.id) for _ in range(20)]
    assert [(await anext(reader)).sequence for reader in readers] == [1] * 20
    pruned: Pruned = await in_thread(lambda: prune(batch=3))
    assert pruned.trimmed == 11
    async with asyncio.timeout(60):
        rest = await asyncio.gather(*(_all(reader) for reader in readers))
    for events in rest:
        assert [event.sequence for event in events[:-1]] == list(range(2, READ_LIMIT + 1))
        assert str(events[-1].type) == "gap"
        assert events[-1].data == {"after": READ_LIMIT, "first_sequence": run.last_sequence + 1}
    for run_id in waiting:
        await in_thread(jobs.signal, run_id, "go")
    await in_thread(drain)
    assert {(await in_thread(jobs.get, run_id)).output for run_id in waiting} == {"done"}


async def _all(reader: AsyncIterator[RunEvent]) -> list[RunEvent]:
    return [event async for event in reader]


async def test_a_reader_whose_run_is_deleted_under_it_ends(work: jobs.Job) -> None:
    (run_id,), _ = await in_thread(start_runs, work, 1)
    reader = follow(run_id)
    assert (await anext(reader)).sequence == 1
    assert (await in_thread(lambda: prune(older_than=DAY))).runs == 1
    async with asyncio.timeout(60):
        rest = [event async for event in reader]
    assert [event.sequence for event in rest] == list(range(2, len(rest) + 2))
    with pytest.raises(RunNotFound):
        await anext(follow(run_id))


async def test_a_pruned_place_is_a_gap_for_followers_and_410_for_pages(ended: Ended) -> None:
    run: Run = await in_thread(lambda: ended(2 * DAY))
    user = await sync_to_async(_own)(run)
    await in_thread(prune)
    last = run.last_sequence
    async with asyncio.timeout(60):
        events = [event async for event in follow(run.id)]
        assert [event async for event in follow(run.id, last)] == []
    assert [(str(event.type), event.data) for event in events] == [("gap", {"after": 0, "first_sequence": last + 1})]
    client = AsyncClient()
    await client.aforce_login(user)
    page = await client.get(f"/api/runs/{run.id}/events?after=0")
    assert (page.status_code, page.json()["error"]["code"]) == (410, "history_pruned")
    assert page.json()["error"]["details"] == {"first_sequence": last + 1}
    assert (await client.get(f"/api/runs/{run.id}/events?after={last}")).json()["results"] == []
    assert (await client.post(f"/api/runs/{run.id}/fork/", {"step": "second"}, "application/json")).status_code == 409
    shown = await client.get(f"/runs/{run.id}/")
    assert (shown.status_code, "was cleaned up" in shown.content.decode()) == (200, True)
    assert (await client.get(f"/runs/{run.id}/log/")).status_code == 200


def _own(run: Run) -> User:
    user = User.objects.create_user("olga")
    Run.objects.filter(id=run.id).update(owner=user)
    return user
