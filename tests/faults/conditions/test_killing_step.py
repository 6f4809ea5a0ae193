"""A step kills its process each time: its run is paused with the reason, and the others complete."""

from collections.abc import Callable
from pathlib import Path

from tests.faults.conditions.workload import Workload
from tests.worker.tree import WorkerTree


def test_the_run_is_paused_with_the_reason_and_goes_on_when_it_is_resumed(
    make_tree: Callable[..., WorkerTree], tmp_path: Path
) -> None:
    tree = make_tree(PERDURE_WORKERS="1").start_worker()
    work = Workload(tree, tmp_path)
    work.wait_until_under_way()
    run = tree.ask("start", "poison", {})
    found = tree.wait_for(lambda: _if_paused(tree, run), 60, "pause of the run")
    assert (found["reason"], found["lease_worker"]) == ("crash_loop", None)
    message = "5 worker processes in a row died or hung while they drove this run, and none recorded a step. Look at"
    assert found["error"]["message"].startswith(message)
    [pause] = [event for event in tree.ask("events", run) if event["type"] == "run:pause"]
    assert pause["data"] == {"reason": "crash_loop", "claims": 5, "error": found["error"]}
    work.assert_completes(repeated=5)


def _if_paused(tree: WorkerTree, run: str) -> dict[str, object] | None:
    found: dict[str, object] = tree.ask("run", run)
    return found if found["status"] == "paused" else None
