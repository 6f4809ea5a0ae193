"""Signals to a run whose workers are killed again and again: each is consumed once, in order."""

from collections import Counter
from collections.abc import Callable

import pytest

from tests.worker.tree import WorkerTree

COUNT = 12


@pytest.fixture(scope="module")
def deadly(make_worker: Callable[..., WorkerTree]) -> WorkerTree:
    return make_worker(PERDURE_APPS="tests.jobs_app,tests.worker.deadly").start_worker()


def test_signals_between_kills_are_taken_once_and_in_order(deadly: WorkerTree) -> None:
    path = deadly.new_path()
    run_id = deadly.ask("start", "collect-signals", {"count": COUNT, "path": str(path)})
    for number in range(COUNT):
        sent = [deadly.ask("signal", run_id, "number", number, f"key {number}") for _ in range(2)]
        assert sent == ["created", "idempotent"]
        if number % 3 == 1:
            deadly.signal(deadly.wait_for(lambda: _holder(deadly, run_id), 15, "living worker with the run"))
    _assert_taken_once(deadly, run_id, path.read_text)


def test_signals_to_a_run_that_no_worker_is_left_for_are_taken_after_the_next_start(deadly: WorkerTree) -> None:
    path = deadly.new_path()
    run_id = deadly.ask("start", "collect-signals", {"count": COUNT, "path": str(path)})
    deadly.ask("signal", run_id, "number", 0, "key 0")
    deadly.wait_for(path.exists, 10, "first signal taken")
    deadly.kill()
    deadly.wait_for(lambda: not deadly.tree(), 5, "end of the whole tree")
    for number in range(1, COUNT):
        deadly.ask("signal", run_id, "number", number, f"key {number}")
    assert path.read_text().split() == ["0"]
    deadly.start_worker()
    _assert_taken_once(deadly, run_id, path.read_text)


def _holder(deadly: WorkerTree, run_id: str) -> int | None:
    """The process that drives the run; None while that is a dead one, or nobody."""
    holder = deadly.ask("run", run_id)["lease_worker"]
    pids = [int(row["pid"]) for row in deadly.ask("workers") if row["id"] == holder]
    return next((pid for pid in pids if pid in deadly.tree()), None)


def _assert_taken_once(deadly: WorkerTree, run_id: str, read: Callable[[], str]) -> None:
    run = deadly.finish(run_id)
    assert (run["status"], run["output"]) == ("completed", list(range(COUNT)))
    assert deadly.ask("consumers", run_id) == [[number, f"signal:number#{number + 1}"] for number in range(COUNT)]
    events = deadly.ask("events", run_id)
    assert [event["sequence"] for event in events] == list(range(1, len(events) + 1))
    types = Counter(event["type"] for event in events)
    assert (types["signal:receive"], types["signal:consume"], types["step:complete"]) == (COUNT, COUNT, 2 * COUNT)
    calls = Counter(read().split())
    assert set(calls) == {str(number) for number in range(COUNT)}
    assert sum(calls.values()) <= COUNT + types["run:recover"], "only a step under way may be called twice"
