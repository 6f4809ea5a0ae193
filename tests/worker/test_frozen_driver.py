"""A driver that is frozen past its lease and then goes on: its run belongs to another one."""

import signal
import time
from collections.abc import Callable

from tests.worker.tree import WorkerTree


def test_a_zombie_writes_nothing_and_its_frames_reach_nobody(make_worker: Callable[..., WorkerTree]) -> None:
    worker = make_worker(RUNS_LEASE_SECONDS="2", PERDURE_WORKERS="2").start_worker()
    run_id = worker.ask("start", "stream-words", {"words": 60, "pause_seconds": 0.1})
    worker.ask("listen", run_id)
    worker.wait_for(lambda: len(_frames(worker, 1)) > 5, 20, "frames of the first epoch")
    zombie = worker.driver_of(run_id)
    worker.signal(zombie, signal.SIGSTOP)
    worker.wait_for(lambda: worker.ask("run", run_id)["lease_token"] > 1, 10, "second claim")
    worker.wait_for(lambda: len(_frames(worker, 2)) > 5, 10, "frames of the second epoch")
    before = _frames(worker, 1)
    worker.signal(zombie, signal.SIGCONT)
    run = worker.finish(run_id)
    assert run["status"] == "completed"
    assert _frames(worker, 1) == before, "frames of the zombie were sent"
    assert run["output"] == "".join(f"a2w{number} " for number in range(60))
    events = worker.ask("events", run_id)
    assert [event["sequence"] for event in events] == list(range(1, len(events) + 1))
    types = [event["type"] for event in events]
    assert types.count("run:complete") == types.count("run:recover") == types.count("step:complete") == 1
    _settle()
    assert worker.ask("events", run_id) == events
    # It was only late: it goes on as a worker.
    worker.wait_for(lambda: zombie in [row["pid"] for row in worker.ask("workers")], 10, "lease of the former zombie")
    assert zombie in worker.drivers


def _frames(worker: WorkerTree, epoch: int) -> list[tuple[int, str]]:
    found = [message for message in worker.ask("heard", "frames") if message["epoch"] == epoch]
    return [(frame["offset"], frame["data"]) for message in found for frame in message["frames"]]


def _settle() -> None:
    """Longer than a lease: time enough for a late write to show itself."""
    time.sleep(2.5)
