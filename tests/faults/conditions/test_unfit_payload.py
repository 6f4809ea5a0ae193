"""A step returns what cannot be stored: the run fails and says which step and why; the others do not notice."""

from pathlib import Path

from tests.faults.conditions.workload import Workload
from tests.worker.tree import WorkerTree

PROBLEMS = {
    "object": "object is not JSON",
    "nul": "it holds a NUL character",
    "surrogate": "surrogate",
    "nan": "is not JSON",
    "deep": "it is nested deeper than 100 levels",
    "large": "and the limit is 1048576. Store a reference to the data, or raise RUNS_MAX_PAYLOAD_BYTES",
    "circle": "is not JSON",
}


def test_the_run_fails_with_the_reason_and_the_others_complete(tree: WorkerTree, tmp_path: Path) -> None:
    work = Workload(tree, tmp_path)
    unfit = {what: tree.ask("start", "return-unfit", {"what": what}) for what in PROBLEMS}
    for what, run in unfit.items():
        found = tree.finish(run)
        assert (found["status"], found["error"]["type"], found["error"]["step"]) == ("failed", "StepFailed", "return")
        assert "The result of step 'return'" in found["error"]["message"]
        assert PROBLEMS[what] in found["error"]["message"]
        assert [attempt["outcome"] for attempt in tree.ask("attempts", run)] == ["failed"]
    work.assert_completes()
