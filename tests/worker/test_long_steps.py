"""A step may last many times longer than any clock that watches its worker: it is called once."""

from collections.abc import Callable

from tests.worker.tree import WorkerTree


def test_steps_that_outlast_the_lease_many_times_are_called_once(make_worker: Callable[..., WorkerTree]) -> None:
    worker = make_worker(RUNS_LEASE_SECONDS="1", PERDURE_WORKERS="2").start_worker()
    begun = {}
    for job in ("append-lines", "append-lines-sync"):
        path = worker.new_path()
        begun[path] = worker.ask("start", job, {"path": str(path), "steps": 1, "pause_seconds": 6})
    for path, run_id in begun.items():
        assert worker.finish(run_id)["status"] == "completed"
        assert path.read_text().split() == ["line-1"]
        assert [attempt["number"] for attempt in worker.ask("attempts", run_id)] == [1]
        assert "run:recover" not in [event["type"] for event in worker.ask("events", run_id)]
