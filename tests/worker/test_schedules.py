"""Schedules are fired by the drivers of a real worker: in time, and by exactly one of them."""

from collections.abc import Callable
from typing import Any

from tests.worker.tree import WorkerTree


def _started(worker: WorkerTree, ids: list[str], within: float) -> list[list[dict[str, Any]]]:
    """The runs of each schedule, once each has one."""

    def look() -> list[list[dict[str, Any]]] | None:
        found = [worker.ask("runs_of", schedule) for schedule in ids]
        return found if all(found) else None

    return worker.wait_for(look, within, f"runs of {len(ids)} schedules")


def test_schedules_are_fired_within_two_seconds_and_each_by_one_of_two_drivers(
    make_worker: Callable[..., WorkerTree],
) -> None:
    worker = make_worker(PERDURE_WORKERS="2").start_worker()
    plan = [(f"at {number}", "echo", {"text": str(number)}, 2 + number / 10) for number in range(20)]
    ids = [worker.ask("plan_once", *one) for one in plan]
    for runs in _started(worker, ids, 60):
        assert len(runs) == 1
        assert 0 <= runs[0]["late"] <= 2
        assert worker.finish(runs[0]["id"])["status"] == "completed"
    assert worker.ask("count_runs", "completed") == len(ids), "nothing was started twice"


def test_what_came_due_while_no_worker_ran_is_started_with_the_next_one(
    make_worker: Callable[..., WorkerTree],
) -> None:
    worker = make_worker(PERDURE_WORKERS="2")
    ids = [worker.ask("plan_once", f"at {number}", "echo", {}, 0.1) for number in range(5)]
    worker.start_worker()
    assert [len(runs) for runs in _started(worker, ids, 60)] == [1] * 5


def test_a_schedule_is_fired_once_though_drivers_are_killed_at_its_time(
    make_worker: Callable[..., WorkerTree],
) -> None:
    worker = make_worker(PERDURE_WORKERS="2").start_worker()
    ids = [worker.ask("plan_once", f"at {number}", "echo", {}, 1 + number / 20) for number in range(20)]
    worker.wait_for(lambda: worker.ask("runs_of", ids[0]), 60, "the first run")
    for pid in worker.drivers:
        worker.signal(pid)
    assert [len(runs) for runs in _started(worker, ids, 60)] == [1] * 20
    worker.wait_for(lambda: worker.ask("count_runs", "completed") == 20, 60, "completed runs")
