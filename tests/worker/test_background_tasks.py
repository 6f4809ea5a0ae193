"""Ordinary tasks and schedules of django-q2 run in the same cluster, beside the drivers."""

from collections.abc import Callable
from pathlib import Path

from tests.worker.tree import WorkerTree


def _pids(path: Path) -> list[int]:
    return [int(pid) for pid in path.read_text().split()] if path.exists() else []


def test_tasks_run_in_a_process_of_the_cluster_that_drives_nothing(worker: WorkerTree) -> None:
    path = worker.new_path()
    for _ in range(5):
        worker.ask("task", "tests.worker.tasks.leave_pid", str(path))
    worker.wait_for(lambda: len(_pids(path)) == 5, 60, "five tasks")
    worker.wait_for(lambda: worker.ask("packs") == 0, 60, "empty queue")
    assert set(_pids(path)) <= set(worker.idle)
    worker.run_through()


def test_a_schedule_starts_its_task(worker: WorkerTree) -> None:
    path = worker.new_path()
    worker.ask("schedule_now", "tests.worker.tasks.leave_pid", str(path))
    # django-q2 looks at its schedules every 30 s.
    worker.wait_for(lambda: _pids(path), 90, "scheduled task")


def test_runs_go_on_while_a_task_takes_long(worker: WorkerTree) -> None:
    path = worker.new_path()
    worker.ask("task", "tests.worker.tasks.sleep_then_leave_pid", str(path), 4)
    worker.ask("task", "tests.worker.tasks.leave_pid", str(path))
    worker.wait_for(lambda: _pids(path), 60, "begin of the task")
    worker.signal(worker.drivers[0])
    worker.run_through()
    worker.wait_for(lambda: len(_pids(path)) == 3, 60, "end of both tasks")


def test_a_failing_task_is_not_delivered_again(worker: WorkerTree) -> None:
    worker.ask("task", "math.sqrt", -1)
    worker.wait_for(lambda: worker.ask("packs") == 0, 60, "empty queue")


def test_plain_qcluster_works_too(make_worker: Callable[..., WorkerTree]) -> None:
    worker = make_worker().start_worker("qcluster")
    worker.run_through()
    worker.signal(worker.drivers[0])
    worker.run_through()
    worker.kill()
    worker.wait_for(lambda: not worker.tree(), 5, "end of the whole tree")
