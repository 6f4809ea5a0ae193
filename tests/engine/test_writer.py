"""Group commit: one bad, locked or unlucky run costs the others nothing."""

import asyncio
import threading
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from django.db import OperationalError, connection, connections, transaction

from runs import clock
from runs.engine.batches import Handle
from runs.engine.store import commit as store
from runs.engine.store.transitions import Change, Entry, Result, Transition, Written
from runs.engine.writer import MAX_BYTES, MAX_TRANSITIONS, Writer
from runs.events.types import EventDraft, EventType
from runs.jobs import StepContext, job
from runs.models import Run
from runs.testing import claim_for, frozen_worker
from tests.engine.driver import begin, events, until


@pytest.fixture
def writer() -> Iterator[Writer]:
    deaths: list[BaseException] = []
    made = Writer(lambda committed: None, deaths.append)
    made.start()
    yield made
    made.stop()
    assert not deaths


@pytest.fixture
def batches(monkeypatch: pytest.MonkeyPatch, writer: Writer) -> list[list[Entry]]:
    """What the writer commits, as the real commit gets it."""
    seen: list[list[Entry]] = []

    def record(entries: list[Entry]) -> dict[UUID, Written]:
        seen.append(entries)
        return store.commit(entries)

    monkeypatch.setattr(writer, "commit", record)
    return seen


def claimed(count: int) -> list[Run]:
    @job("written")
    async def written(step: StepContext) -> None: ...

    for _ in range(count):
        begin(written)
    return sorted(claim_for(frozen_worker(), limit=count), key=lambda run: run.id)


def handle_of(run: Run) -> Handle:
    return Handle(run.id, run.lease_token, run.write_no)


def line(text: str, size: int = 0) -> Transition:
    return Transition(clock.now(), events=(EventDraft(EventType.LOG_WRITE, {"message": text}),), size=size)


def lines(run: Run) -> list[str]:
    return [event.data["message"] for event in events(run) if event.type == "log:write"]


async def submit_all(writer: Writer, work: list[tuple[Handle, Transition]]) -> list[Any]:
    return await asyncio.gather(*[writer.submit(handle, transition) for handle, transition in work])


def write_all(writer: Writer, work: list[tuple[Handle, Transition]]) -> list[Any]:
    return asyncio.run(asyncio.wait_for(submit_all(writer, work), 30))


def test_the_order_of_a_run_is_kept_over_batches_of_at_most_200(writer: Writer, batches: list[list[Entry]]) -> None:
    runs = claimed(3)
    handles = [handle_of(run) for run in runs]
    work = [(handles[number % 3], line(str(number))) for number in range(750)]
    assert set(write_all(writer, work)) == {Result.DONE}
    for place, run in enumerate(runs):
        assert lines(run) == [str(number) for number in range(750) if number % 3 == place]
    sizes = [sum(len(entry.transitions) for entry in batch) for batch in batches]
    assert max(sizes) <= MAX_TRANSITIONS
    assert sum(sizes) == 750


def test_a_batch_holds_no_more_than_its_bytes(writer: Writer, batches: list[list[Entry]]) -> None:
    [run] = claimed(1)
    text = "x" * (1024 * 1024)
    handle = handle_of(run)
    assert set(write_all(writer, [(handle, line(text, len(text))) for _ in range(12)])) == {Result.DONE}
    heaviest = max(sum(one.size for entry in batch for one in entry.transitions) for batch in batches)
    assert heaviest <= MAX_BYTES + len(text)
    assert len(events(run)) == 14


def test_an_old_and_a_new_handle_of_a_run_never_share_a_batch(writer: Writer, batches: list[list[Entry]]) -> None:
    """A process can claim a run again while writes of its former execution are pending."""
    [run] = claimed(1)
    old = handle_of(run)
    Run.objects.filter(id=run.id).update(lease_token=run.lease_token + 1)
    new = Handle(run.id, run.lease_token + 1, run.write_no)
    made = Writer(lambda committed: None, lambda error: None, writer.commit)

    async def work() -> list[Any]:
        pending = [made.submit(handle, line(f"{handle.token}")) for handle in (old, new, old, new)]
        made.start()
        return await asyncio.gather(*pending)

    answers = asyncio.run(work())
    made.stop()
    assert answers == [Result.LOST, Result.DONE, Result.LOST, Result.DONE]
    assert lines(run) == ["2", "2"]
    assert all(len(batch) == 1 for batch in batches)


def test_one_bad_value_hurts_one_transition(writer: Writer) -> None:
    runs = claimed(3)
    handles = [handle_of(run) for run in runs]
    bad = Transition(clock.now(), change=Change({"progress": "this is no JSON {"}), events=line("bad").events)
    work = [(handle, line("before")) for handle in handles]
    work += [(handles[1], bad), *((handle, line("after")) for handle in handles)]
    *before, answer, one, two, three = write_all(writer, work)
    assert isinstance(answer, Exception)
    assert {*before, one, two, three} == {Result.DONE}
    assert [lines(run) for run in runs] == [["before", "after"]] * 3
    assert set(write_all(writer, [(handle, line("later")) for handle in handles])) == {Result.DONE}


def test_a_condition_goes_alone_and_does_not_undo_what_came_before(writer: Writer) -> None:
    [run] = claimed(1)
    handle = handle_of(run)
    unmet = Transition(clock.now(), change=Change({"reason": "x"}, expect_inbox=99), events=line("never").events)
    answers = write_all(writer, [(handle, line("a")), (handle, line("b")), (handle, unmet), (handle, line("c"))])
    assert answers == [Result.DONE, Result.DONE, Result.INBOX, Result.DONE]
    assert lines(run) == ["a", "b", "c"]


def test_a_locked_run_does_not_stall_the_others(writer: Writer, on_postgresql: bool) -> None:
    """SQLite has no row locks; there the lock of the whole file only delays the batch."""
    locked, free = claimed(2)
    handles = {run.id: handle_of(run) for run in (locked, free)}
    ready, release = threading.Event(), threading.Event()

    def hold() -> None:
        try:
            with transaction.atomic():
                Run.objects.select_for_update(no_key=True).get(id=locked.id)
                ready.set()
                release.wait(60 if on_postgresql else 0.2)
        finally:
            connections.close_all()

    thread = threading.Thread(target=hold)
    thread.start()
    assert ready.wait(60)
    for text in "abc":
        writer.post(handles[locked.id], line(text))
    assert write_all(writer, [(handles[free.id], line("free"))]) == [Result.DONE]
    assert not on_postgresql or thread.is_alive(), "the other one is locked all the while"
    assert lines(locked) == ([] if on_postgresql else ["a", "b", "c"])
    release.set()
    thread.join()
    assert write_all(writer, [(handles[locked.id], line("d"))]) == [Result.DONE]
    assert lines(locked) == ["a", "b", "c", "d"]


@pytest.mark.parametrize("committed_before", [False, True], ids=["before the commit", "after the commit"])
def test_a_connection_that_dies_neither_loses_nor_doubles(
    monkeypatch: pytest.MonkeyPatch, writer: Writer, on_postgresql: bool, committed_before: bool
) -> None:
    runs = claimed(2)
    handles = [handle_of(run) for run in runs]
    deaths: list[int] = []

    def die(entries: list[Entry]) -> dict[UUID, Written]:
        if deaths:
            return store.commit(entries)
        deaths.append(1)
        found = store.commit(entries) if committed_before else {}
        break_connection(on_postgresql)
        return found or store.commit(entries)

    monkeypatch.setattr(writer, "commit", die)
    answers = write_all(writer, [(handle, line(text)) for text in "ab" for handle in handles])
    assert deaths
    assert set(answers) == {Result.DONE}
    assert [lines(run) for run in runs] == [["a", "b"]] * 2


def break_connection(on_postgresql: bool) -> None:
    """PostgreSQL: its backend is terminated; SQLite has none, so the driver's own error is raised."""
    if not on_postgresql:
        raise OperationalError("disk I/O error")
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        [pid] = cursor.fetchone()
        cursor.execute("SELECT pg_terminate_backend(%s)", [pid])


def test_a_commit_that_comes_through_after_its_answer_was_given_up_is_no_lost_lease(
    writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server still has the statement of a connection that is gone, and executes it after it was asked."""
    [run] = claimed(1)
    handle, late = handle_of(run), []

    def commit(entries: list[Entry]) -> dict[UUID, Written]:
        if not late:
            late.append(entries)
            writer.post(handle, line("second"))
            raise OperationalError("database is locked")
        if len(late) == 1:
            late.append(store.commit(late[0]))
        return store.commit(entries)

    monkeypatch.setattr(writer, "commit", commit)
    writer.post(handle, line("first"))
    until(lambda: len(late) == 2 and not handle.pending and handle.write_no == run.write_no + 2)
    assert not handle.lost
    assert lines(run) == ["first", "second"]


def test_what_is_pending_is_written_when_the_writer_stops() -> None:
    [run] = claimed(1)
    made = Writer(lambda committed: None, lambda error: None)
    handle = handle_of(run)
    for number in range(300):
        made.post(handle, line(str(number)))
    made.start()
    made.stop()
    assert len(lines(run)) == 300


def test_commits_are_told_with_their_last_numbers() -> None:
    told: dict[UUID, int] = {}
    [run] = claimed(1)
    made = Writer(told.update, lambda error: None)
    made.start()
    write_all(made, [(handle_of(run), line("a"))])
    until(lambda: told)
    made.stop()
    assert told == {run.id: 3}


def test_a_writer_that_cannot_go_on_says_so() -> None:
    deaths: list[BaseException] = []
    [run] = claimed(1)

    def fail(entries: list[Entry]) -> dict[UUID, Written]:
        raise MemoryError("nothing left")

    made = Writer(lambda committed: None, deaths.append, fail)
    made.start()
    made.post(handle_of(run), line("a"))
    until(lambda: deaths)
    made.stop()
    assert isinstance(deaths[0], MemoryError)
