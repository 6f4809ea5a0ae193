"""A step does not come back: in a thread its run ends at its timeout or cancel, in the loop its process ends."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.conditions.workload import Workload
from tests.worker.tree import WorkerTree


@pytest.fixture
def tree(make_tree: Callable[..., WorkerTree]) -> WorkerTree:
    return make_tree(RUNS_SYNC_ABORT_GRACE_SECONDS="1", RUNS_LOOP_STALL_SECONDS="2", PERDURE_WORKERS="1").start_worker()


def test_a_thread_that_outlasts_its_timeout_costs_its_process_and_no_run(tree: WorkerTree, tmp_path: Path) -> None:
    work = Workload(tree, tmp_path)
    work.wait_until_under_way()
    old = tree.drivers
    run = tree.ask("start", "hang-in-a-thread", {"path": str(tmp_path / "over"), "timeout_seconds": 1})
    found = tree.finish(run)
    assert found["status"] == "failed"
    assert "Step 'hang' ran longer than its 1 s. Raise its timeout or split the step." in found["error"]["message"]
    _assert_replaced(tree, run, old)
    work.assert_completes()


def test_a_thread_that_ignores_a_cancel_costs_its_process_and_no_run(tree: WorkerTree, tmp_path: Path) -> None:
    work = Workload(tree, tmp_path)
    work.wait_until_under_way()
    old = tree.drivers
    run = tree.ask("start", "hang-in-a-thread", {"path": str(tmp_path / "over")})
    tree.wait_for(lambda: tree.ask("attempts", run), 10, "call of the step")
    tree.ask("cancel", run)
    assert tree.ask("run", run)["status"] == "cancelled"
    _assert_replaced(tree, run, old)
    work.assert_completes()


def test_a_step_that_blocks_the_loop_is_shown_and_paused_in_the_end(tree: WorkerTree, tmp_path: Path) -> None:
    work = Workload(tree, tmp_path)
    work.wait_until_under_way()
    run = tree.ask("start", "hang-in-the-loop", {"path": str(tmp_path / "never")})
    tree.wait_for_line("The event loop stood still for .* Make the blocking function a plain def", within=20)
    paused = tree.wait_for(lambda: _if_paused(tree, run), 60, "pause of the run")
    assert paused["reason"] == "crash_loop"
    assert "died or hung while they drove this run" in paused["error"]["message"]
    assert any("in _block" in line for line in tree.lines), "the stacks show where"
    work.assert_completes(repeated=5)


def _if_paused(tree: WorkerTree, run: str) -> dict[str, object] | None:
    found: dict[str, object] = tree.ask("run", run)
    return found if found["status"] == "paused" else None


def _assert_replaced(tree: WorkerTree, run: str, old: list[int]) -> None:
    tree.wait_for_line(
        f"Step 'hang' of run {run} ignores current_attempt.*Its process is drained and replaced", within=10
    )
    tree.wait_for(lambda: not set(old) & set(tree.tree()), 30, "end of the process")
    tree.wait_for(lambda: tree.drivers, 10, "its replacement")
