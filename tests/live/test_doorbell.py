"""Doorbells: a hint that runs changed, from any process to any other."""

import asyncio
import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from asgiref.sync import sync_to_async
from django.db import connection

from runs import jobs
from runs.events import doorbell
from runs.events.doorbell import Doorbell, ring
from runs.models import RunStatus
from tests.live.logs import amake_run, awrite

pytestmark = pytest.mark.django_db(transaction=True)
Rings = list[list[UUID] | None]


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.01)


def heard(rings: Rings) -> set[UUID]:
    return {run_id for ids in rings if ids for run_id in ids}


async def change_and_ring() -> UUID:
    """As whoever commits does it."""
    run = await amake_run()
    await awrite(run.id, "run:queued")
    ring([run.id])
    return run.id


async def test_a_ring_after_a_commit_is_heard_by_everyone() -> None:
    one: Rings = []
    two: Rings = []
    async with Doorbell(one.append), Doorbell(two.append):
        run_id = await change_and_ring()
        for rings in (one, two):
            if connection.vendor == "postgresql":
                await until(lambda rings=rings: run_id in heard(rings))  # type: ignore[misc]
            else:
                await until(lambda rings=rings: None in rings)  # type: ignore[misc]


async def test_a_thousand_rings_are_all_told_in_few_messages() -> None:
    if connection.vendor != "postgresql":
        return await _sqlite_tells_of_many_commits_at_once()
    rings: Rings = []
    run_ids = [uuid4() for _ in range(1000)]
    async with Doorbell(rings.append):
        for run_id in run_ids:
            ring([run_id])
        await until(lambda: heard(rings) == set(run_ids))
    assert len(rings) < 200


async def _sqlite_tells_of_many_commits_at_once() -> None:
    rings: Rings = []
    async with Doorbell(rings.append):
        run = await amake_run()
        for _ in range(30):
            await awrite(run.id, "log:write")
        await until(lambda: bool(rings))
    assert set(map(str, rings)) == {"None"}
    assert len(rings) <= 31


async def test_runs_that_were_only_sent_something_are_told_apart_from_those_that_may_be_due() -> None:
    rings: Rings = []
    plain: Rings = []
    mail: list[UUID] = []
    due, sent = uuid4(), uuid4()
    async with Doorbell(rings.append, on_mail=mail.extend), Doorbell(plain.append):
        ring([sent], only_mail=True)
        ring([due])
        await until(lambda: heard(plain) >= {due, sent} and heard(rings) >= {due} and sent in mail)
    assert heard(rings) == {due}
    assert mail == [sent]


async def test_a_signal_to_a_run_that_somebody_drives_makes_nobody_claim() -> None:
    rings: Rings = []
    mail: list[UUID] = []
    driven, waiting = await amake_run(status=RunStatus.RUNNING), await amake_run(status=RunStatus.WAITING)
    async with Doorbell(rings.append, on_mail=mail.extend):
        for run in (driven, waiting):
            await sync_to_async(jobs.signal)(run.id, "go")
        await until(lambda: driven.id in mail and waiting.id in heard(rings))
    assert driven.id not in heard(rings)
    assert waiting.id not in mail


async def test_a_ring_that_cannot_be_read_says_that_any_run_may_have_changed() -> None:
    rings: Rings = []
    async with Doorbell(rings.append, on_mail=rings.append) as bell:
        bell.hear("no number-")
    assert rings == [None]


async def test_a_handler_that_fails_does_not_silence_the_bell() -> None:
    calls = 0

    def fail(ids: list[UUID] | None) -> None:
        nonlocal calls
        calls += 1
        raise ValueError("a handler's own fault")

    async with Doorbell(fail):
        await change_and_ring()
        await until(lambda: calls >= 1)
        await asyncio.sleep(0.1)
        before = calls
        await change_and_ring()
        await until(lambda: calls > before)


async def test_after_a_lost_connection_the_bell_is_heard_again_and_everything_is_looked_at() -> None:
    if connection.vendor != "postgresql":
        return
    rings: Rings = []
    async with Doorbell(rings.append):
        link = await doorbell.open_connection(**doorbell.connection_parameters())
        await link.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE application_name = 'perdure-doorbell' AND datname = current_database()"
        )
        await link.close()
        await until(lambda: None in rings)
        run_id = await change_and_ring()
        await until(lambda: run_id in heard(rings))


async def test_a_bell_that_is_cancelled_twice_leaves_no_session(monkeypatch: pytest.MonkeyPatch) -> None:
    """As when a loop ends: it cancels all tasks, and the one that owns the bell cancels the bell's."""
    if connection.vendor != "postgresql":
        return
    opened, is_busy = [], 0.0  # seconds after which psycopg gives the loop a turn, even where it need not wait
    connect = doorbell.open_connection

    async def open_one(**parameters: Any) -> "psycopg.AsyncConnection[Any]":
        opened.append(await connect(**parameters))
        return opened[-1]

    monkeypatch.setattr(doorbell, "open_connection", open_one)
    async with Doorbell(lambda ids: None) as bell:
        monkeypatch.setattr(psycopg.waiting, "MAX_BUSY_TIME", is_busy)
        assert bell._task is not None
        bell._task.cancel()
        await asyncio.sleep(0)
    assert [link.closed for link in opened] == [True]


async def test_a_ring_never_raises_and_never_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where the database cannot be reached: the poll every second finds the change."""
    monkeypatch.setattr(doorbell, "connection_parameters", lambda: {"host": "127.0.0.1", "port": 1, "dbname": "none"})
    before = asyncio.get_running_loop().time()
    for _ in range(100):
        ring([uuid4()])
    assert asyncio.get_running_loop().time() - before < 5
    doorbell.hang_up()


async def test_a_forked_child_rings_by_a_connection_of_its_own() -> None:
    rings: Rings = []
    mine, childs = uuid4(), uuid4()
    async with Doorbell(rings.append):
        ring([mine])
        pid = os.fork()
        if pid == 0:
            ring([childs])
            doorbell.hang_up()
            os._exit(0)
        assert (await asyncio.to_thread(os.waitpid, pid, 0))[1] == 0
        if connection.vendor == "postgresql":
            await until(lambda: {mine, childs} <= heard(rings))


async def test_on_sqlite_another_process_says_which_run_changed() -> None:
    if connection.vendor == "postgresql":
        return
    rings: Rings = []
    changed = uuid4()
    async with Doorbell(rings.append):
        pid = os.fork()
        if pid == 0:
            ring([changed])
            os._exit(0)
        assert (await asyncio.to_thread(os.waitpid, pid, 0))[1] == 0
        await until(lambda: changed in heard(rings))


async def test_on_sqlite_nothing_is_left_of_those_who_listened() -> None:
    if connection.vendor == "postgresql":
        return
    bells = Path(f"{connection.settings_dict['NAME']}-bells")
    async with Doorbell(lambda ids: None):
        assert len(list(bells.iterdir())) == 1
        assert bells.stat().st_mode & 0o077 == 0
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as killed:
            directory = os.open(bells, os.O_RDONLY)
            killed.bind(f"/proc/self/fd/{directory}/killed")
            os.close(directory)
        ring([uuid4()])
        assert not (bells / "killed").exists()
    assert not list(bells.iterdir())


async def test_many_rings_on_sqlite_are_heard_in_pieces_that_fit() -> None:
    if connection.vendor == "postgresql":
        return
    rings: Rings = []
    changed = {uuid4() for _ in range(2_500)}
    async with Doorbell(rings.append):
        ring(changed)
        await until(lambda: heard(rings) == changed)
