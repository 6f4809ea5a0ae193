"""Many runs proceed at once inside the worker processes of django-q2."""

from collections.abc import Callable

from tests.servers import processes
from tests.worker.tree import WorkerTree


def test_a_hundred_async_runs_proceed_at_once_in_two_processes(make_worker: Callable[..., WorkerTree]) -> None:
    worker = make_worker(PERDURE_WORKERS="2").start_worker()
    gate = worker.data_dir / "gate"
    ids = worker.ask("start_many", "hold", {"path": str(gate)}, 100)
    worker.wait_for(lambda: worker.ask("count_steps", "running") == 100, 60, "hundred running steps")
    drivers = worker.wait_for(lambda: worker.drivers if len(worker.drivers) == 2 else None, 60, "two drivers")
    assert set(drivers) < set(processes.children_of(worker.sentinel)), "drivers are processes of the django-q2 cluster"
    assert {row["pid"] for row in worker.ask("workers")} == set(drivers)
    gate.write_text("open")
    worker.wait_for(lambda: worker.ask("count_runs", "completed") == len(ids), 60, "hundred completed runs")


def test_a_run_starts_soon_after_it_was_asked_for(worker: WorkerTree) -> None:
    run_id = worker.ask("start", "echo", {"text": "soon"})
    worker.finish(run_id, within=5)


def test_sync_runs_wait_for_a_free_thread(make_worker: Callable[..., WorkerTree]) -> None:
    worker = make_worker(RUNS_THREADS="2", PERDURE_WORKERS="1").start_worker()
    gate = worker.data_dir / "gate"
    worker.ask("start_many", "hold-sync", {"path": str(gate)}, 5)
    worker.wait_for(lambda: worker.ask("count_runs", "running") == 2, 60, "two running")
    worker.run_through()
    assert worker.ask("count_runs", "running") == 2, "the others wait in the table, where any worker can take them"
    gate.write_text("open")
    worker.wait_for(lambda: worker.ask("count_runs", "completed") == 6, 60, "completed runs")
