"""A driver that has grown past its limit is replaced, and its runs go on."""

from collections.abc import Callable

from tests.worker.tree import WorkerTree


def test_a_driver_that_grew_too_large_hands_its_runs_to_a_new_one(make_worker: Callable[..., WorkerTree]) -> None:
    worker = make_worker(
        PERDURE_APPS="tests.jobs_app,tests.worker.hungry", RUNS_WORKER_MAX_RSS_MIB="400", PERDURE_WORKERS="1"
    ).start_worker()
    large = worker.drivers[0]
    path = worker.data_dir / "steps"
    run_id = worker.ask("start", "grow", {"mib": 400, "steps": 40, "path": str(path)})
    worker.wait_for_line("it has grown past RUNS_WORKER_MAX_RSS_MIB")
    assert worker.finish(run_id)["status"] == "completed"
    assert path.read_text().split() == [f"step-{number}" for number in range(40)]
    worker.wait_for(lambda: large not in worker.tree(), 60, "end of the large process")
