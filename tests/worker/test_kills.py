"""SIGKILL of each kind of process, alone: the worker goes on, and nothing of the old tree is left."""

import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.servers import processes
from tests.worker.tree import WorkerTree

VICTIMS: dict[str, Callable[[WorkerTree], int]] = {
    "driver": lambda tree: tree.drivers[0],
    "idle process": lambda tree: tree.idle[0],
    "pusher": lambda tree: tree.pusher,
    "monitor": lambda tree: tree.monitor,
    "sentinel": lambda tree: tree.sentinel,
    "cluster": lambda tree: processes.parent_of(tree.sentinel),
}


@pytest.mark.parametrize("victim", VICTIMS)
def test_a_new_run_completes_after_the_kill_of_one_process(worker: WorkerTree, victim: str) -> None:
    before = worker.tree()
    count = len(before)
    killed = VICTIMS[victim](worker)
    worker.signal(killed)
    worker.run_through(while_dying=True)
    if victim != "driver":
        worker.wait_for(lambda: set(worker.tree()) & set(before) == {worker.top}, 60, "end of the old cluster")
    worker.wait_for(lambda: len(worker.tree()) == count, 60, f"tree of {count} processes")
    worker.run_through()


def test_a_run_of_a_killed_driver_goes_on_within_three_seconds(worker: WorkerTree) -> None:
    path = worker.new_path()
    run_id = worker.ask("start", "append-lines", {"path": str(path), "steps": 40, "pause_seconds": 0.1})
    worker.wait_for(lambda: len(_lines(path)) >= 10, 60, "tenth step")
    worker.signal(worker.driver_of(run_id))
    calls = len(_lines(path))
    worker.wait_for(lambda: len(_lines(path)) > calls + 1, 3, "next step")
    assert worker.finish(run_id)["status"] == "completed"
    called = _lines(path)
    assert sorted(set(called)) == sorted(f"line-{number}" for number in range(1, 41))
    assert len(called) <= 41, "only the step under way may be called twice"
    events = worker.ask("events", run_id)
    assert [event["sequence"] for event in events] == list(range(1, len(events) + 1))
    assert "run:recover" in [event["type"] for event in events]


def test_nothing_is_left_after_the_kill_of_the_top_process(worker: WorkerTree) -> None:
    worker.ask("start", "append-lines", {"path": str(worker.new_path()), "steps": 50})
    worker.kill()
    worker.wait_for(lambda: not worker.tree(), 5, "end of the whole tree")
    worker.start_worker()
    worker.run_through()


def test_a_hung_sentinel_is_noticed(worker: WorkerTree) -> None:

    before = worker.tree()
    worker.signal(worker.sentinel, signal.SIGSTOP)
    worker.wait_for_line("gave no sign of life")
    worker.run_through(while_dying=True)
    worker.wait_for(lambda: set(worker.tree()) & set(before) == {worker.top}, 60, "end of the old cluster")


def test_a_queue_that_nobody_can_read_is_noticed(worker: WorkerTree) -> None:
    """The idle process holds the queue's lock while it waits; frozen, it stands for a lock that was lost."""
    before = worker.tree()
    worker.signal(worker.idle[0], signal.SIGSTOP)
    worker.ask("task", "tests.worker.tasks.leave_pid", str(worker.new_path()))
    worker.wait_for_line("its queue held work")
    worker.run_through(while_dying=True)
    worker.wait_for(lambda: set(worker.tree()) & set(before) == {worker.top}, 60, "end of the old cluster")


def _lines(path: Path) -> list[str]:
    return path.read_text().split() if path.exists() else []
