"""SIGTERM and Ctrl-C hand runs back at their next step boundary; the next start goes on with them."""

import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.worker.tree import WorkerTree


def _begun(worker: WorkerTree, path: Path, pause: float = 0.2) -> str:
    run_id: str = worker.ask("start", "append-lines", {"path": str(path), "steps": 20, "pause_seconds": pause})
    worker.wait_for(lambda: path.exists() and len(path.read_text().split()) >= 3, 60, "third step")
    return run_id


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_hands_runs_back_and_the_next_start_goes_on(worker: WorkerTree, number: signal.Signals) -> None:
    path = worker.new_path()
    run_id = _begun(worker, path)
    worker.signal(worker.top, number)
    assert worker.process is not None
    assert worker.process.wait(30) == 0
    assert worker.tree() == []
    row = worker.ask("run", run_id)
    assert (row["status"], row["lease_worker"]) == ("queued", None)
    worker.start_worker()
    assert worker.finish(run_id)["status"] == "completed"
    assert path.read_text().split() == [f"line-{number}" for number in range(1, 21)], "no step was called twice"
    assert "run:recover" not in [event["type"] for event in worker.ask("events", run_id)]


def test_a_sigterm_to_every_process_at_once_still_hands_runs_back(worker: WorkerTree) -> None:
    """As systemd's KillMode=control-group and some container runtimes send it."""
    path = worker.new_path()
    run_id = _begun(worker, path)
    for pid in worker.tree():
        worker.signal(pid, signal.SIGTERM)
    assert worker.process is not None
    assert worker.process.wait(30) == 0
    assert worker.tree() == []
    worker.start_worker()
    assert worker.finish(run_id)["status"] == "completed"
    assert path.read_text().split() == [f"line-{number}" for number in range(1, 21)], "no step was called twice"
    assert "run:recover" not in [event["type"] for event in worker.ask("events", run_id)]


def test_a_step_that_outlasts_the_drain_is_let_go(make_worker: Callable[..., WorkerTree]) -> None:
    worker = make_worker(RUNS_DRAIN_SECONDS="1").start_worker()
    path = worker.new_path()
    run_id: str = worker.ask("start", "append-lines-sync", {"path": str(path), "steps": 2, "pause_seconds": 25})
    worker.wait_for(path.exists, 60, "first step")
    assert worker.stop(within=20) == 0
    assert worker.tree() == []
    assert worker.ask("run", run_id)["status"] == "running", "nobody ended it: the next worker recovers it"
    worker.start_worker()
    worker.wait_for(lambda: len(path.read_text().split()) == 2, 60, "second call of the first step")
    worker.ask("cancel", run_id)


def test_a_second_signal_does_not_wait(worker: WorkerTree) -> None:
    path = worker.new_path()
    run_id = worker.ask("start", "append-lines-sync", {"path": str(path), "steps": 2, "pause_seconds": 15})
    worker.wait_for(path.exists, 60, "first step")
    worker.signal(worker.top, signal.SIGTERM)
    worker.wait_for_line("Worker stops")
    worker.signal(worker.top, signal.SIGTERM)
    assert worker.process is not None
    worker.process.wait(12)
    worker.wait_for(lambda: not worker.tree(), 20, "end of the whole tree")
    worker.ask("cancel", run_id)


def test_a_driver_that_is_told_to_end_is_replaced(worker: WorkerTree) -> None:
    path = worker.new_path()
    run_id = _begun(worker, path)
    first = worker.driver_of(run_id)
    worker.signal(first, signal.SIGTERM)
    assert worker.finish(run_id)["status"] == "completed"
    assert path.read_text().split() == [f"line-{number}" for number in range(1, 21)]
    worker.wait_for(lambda: first not in worker.tree(), 60, "end of the old driver")
    worker.run_through()
