"""A step may last many times longer than any clock that watches its worker: it is called once."""

from collections.abc import Callable
from typing import Any

from tests.worker.tree import WorkerTree

SECONDS = 6


def test_steps_that_outlast_the_lease_many_times_are_called_once(make_worker: Callable[..., WorkerTree]) -> None:
    worker = make_worker(
        RUNS_LEASE_SECONDS="1", PERDURE_WORKERS="2", PERDURE_APPS="tests.jobs_app,tests.worker.deadly"
    ).start_worker()
    lasting: dict[str, dict[str, Any]] = {
        "append-lines": {"steps": 1, "pause_seconds": SECONDS},
        "append-lines-sync": {"steps": 1, "pause_seconds": SECONDS},
        # the thread that keeps the lease does not need the loop, and the loop may stand still for 20 s
        "block-the-loop": {"count": SECONDS},
    }
    begun = {}
    for job, value in lasting.items():
        path = worker.new_path()
        begun[path] = worker.ask("start", job, value | {"path": str(path)})
    for path, run_id in begun.items():
        assert worker.finish(run_id)["status"] == "completed"
        assert len(path.read_text().split()) == 1
        assert [attempt["number"] for attempt in worker.ask("attempts", run_id)] == [1]
        assert "run:recover" not in [event["type"] for event in worker.ask("events", run_id)]
