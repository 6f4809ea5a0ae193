"""On PostgreSQL a lone step's write is sent from the loop; what is not simply done goes back to the writer's thread."""

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.db import connection, transaction

from runs.engine.alone import Alone
from runs.engine.batches import Batch, Handle
from runs.engine.store.transitions import Result
from runs.engine.writer import Writer
from runs.models import Run, Step
from tests.engine.driver import events, types, until
from tests.engine.test_step_alone import claimed, of, plain
from tests.engine.test_writer import handle_of, line, lines, writer  # noqa: F401


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Batch]]:
    """The batches that went from the loop."""
    seen: list[Batch] = []
    send = Alone.send

    def record(self: Alone, batch: Batch) -> None:
        seen.append(batch)
        send(self, batch)

    monkeypatch.setattr(Alone, "send", record)
    return seen


async def write(writer: Writer, run: Run, handle: Handle, *names: str) -> list[Any]:  # noqa: F811
    """One after the other, each when the thread has nothing to do."""
    answers = []
    for name in names:
        while not writer._is_parked:
            await asyncio.sleep(0.001)
        answers.append(await asyncio.wait_for(writer.submit(handle, of(run, plain(name)).transitions[0]), 30))
    return answers


def test_after_a_first_one_lone_steps_go_from_the_loop(
    writer: Writer, sent: list[Batch], on_postgresql: bool  # noqa: F811
) -> None:  # fmt: skip
    [run] = claimed(1)
    told: list[dict[Any, int]] = []
    writer._on_commit = told.append
    assert asyncio.run(write(writer, run, handle_of(run), *"abcde")) == [Result.DONE] * 5
    assert len(sent) == (4 if on_postgresql else 0)
    assert types(run)[2:] == ["step:start", "step:complete"] * 5
    assert told == [{run.id: number} for number in (4, 6, 8, 10, 12)]
    assert [event.sequence for event in events(run)] == list(range(1, 13))


def test_what_comes_while_one_is_under_way_is_written_after_it(writer: Writer, sent: list[Batch]) -> None:  # noqa: F811
    one, other = claimed(2)
    first, second = handle_of(one), handle_of(other)

    async def work() -> list[Any]:
        await write(writer, one, first, "a", "b")
        waiters = [writer.submit(first, of(one, plain(name)).transitions[0]) for name in "cd"]
        waiters += [writer.submit(second, line("x")), writer.submit(first, line("y"))]
        return await asyncio.wait_for(asyncio.gather(*waiters), 30)

    assert asyncio.run(work()) == [Result.DONE] * 4
    assert list(Step.objects.filter(run_id=one.id).order_by("id").values_list("name", flat=True)) == list("abcd")
    assert (types(one)[-1], lines(one), lines(other)) == ("log:write", ["y"], ["x"])


def test_a_lost_lease_is_told_as_by_the_thread(writer: Writer, sent: list[Batch]) -> None:  # noqa: F811
    [run] = claimed(1)
    handle = handle_of(run)
    asyncio.run(write(writer, run, handle, "a", "b"))
    Run.objects.filter(id=run.id).update(lease_token=run.lease_token + 1)
    assert asyncio.run(write(writer, run, handle, "c")) == [Result.LOST]
    assert handle.lost
    assert Step.objects.filter(run_id=run.id).count() == 2


def test_a_locked_run_waits_for_its_row_and_not_the_loop(
    writer: Writer, sent: list[Batch], on_postgresql: bool  # noqa: F811
) -> None:  # fmt: skip
    [run] = claimed(1)
    handle, locked, free = handle_of(run), threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            Run.objects.select_for_update().get(id=run.id)
            if not on_postgresql:
                Run.objects.filter(id=run.id).update(priority=1)  # there it is the file's lock, and only for who writes
            locked.set()
            free.wait(10)
        connection.close()

    async def work() -> Any:
        await write(writer, run, handle, "a", "b")
        holder.start()
        await asyncio.to_thread(locked.wait, 10)
        waiter = writer.submit(handle, of(run, plain("c")).transitions[0])
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.shield(waiter), 0.1)
        free.set()
        return await asyncio.wait_for(waiter, 30)

    holder = threading.Thread(target=hold)
    try:
        assert asyncio.run(work()) is Result.DONE
    finally:
        free.set()
        holder.join()


@pytest.mark.parametrize("after_the_commit", [False, True])
def test_a_connection_that_is_cut_under_way_neither_loses_nor_doubles(
    writer: Writer, sent: list[Batch], monkeypatch: pytest.MonkeyPatch, on_postgresql: bool, after_the_commit: bool,  # noqa: F811
) -> None:  # fmt: skip
    """Only PostgreSQL has a connection to cut; on SQLite the thread writes as ever."""
    [run] = claimed(1)
    handle, send, cut = handle_of(run), Alone.send, []

    def cut_once(self: Alone, batch: Batch) -> None:
        link = self._link
        assert link is not None
        if cut:
            return send(self, batch)
        cut.append(1)
        if not after_the_commit:
            beside_the_loop(terminate, link)
            return send(self, batch)
        send(self, batch)
        beside_the_loop(until, lambda: Step.objects.filter(run_id=run.id).count() == 2)
        return beside_the_loop(terminate, link)

    monkeypatch.setattr(Alone, "send", cut_once)
    if after_the_commit:
        monkeypatch.setattr("runs.engine.store.lone.answered", _lost)
    assert asyncio.run(write(writer, run, handle, *"abc")) == [Result.DONE] * 3
    assert bool(cut) is on_postgresql
    assert types(run)[2:] == ["step:start", "step:complete"] * 3
    assert not handle.lost


def beside_the_loop(function: Any, *args: Any) -> None:
    def call() -> None:
        try:
            function(*args)
        finally:
            connection.close()

    thread = threading.Thread(target=call)
    thread.start()
    thread.join()


def _lost(link: Any) -> None:
    raise psycopg.OperationalError("server closed the connection unexpectedly")


def terminate(link: "psycopg.Connection[Any]") -> None:
    pid = link.info.backend_pid
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", [pid])
        until(lambda: _is_gone(pid))


def _is_gone(pid: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE pid = %s", [pid])
        return bool(cursor.fetchone()[0] == 0)


def test_a_writer_that_stops_writes_what_is_under_way(writer: Writer, sent: list[Batch]) -> None:  # noqa: F811
    [run] = claimed(1)
    handle = handle_of(run)

    async def work() -> list[Any]:
        await write(writer, run, handle, "a", "b")
        waiters = [writer.submit(handle, of(run, plain(name)).transitions[0]) for name in "cd"]
        await asyncio.to_thread(writer.stop)
        return await asyncio.wait_for(asyncio.gather(*waiters), 30)

    assert asyncio.run(work()) == [Result.DONE] * 2
