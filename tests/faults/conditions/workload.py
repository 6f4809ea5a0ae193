"""Runs that are under way while a condition lasts, and what must be true of them when it has passed."""

from collections import Counter
from pathlib import Path

from tests.worker.tree import WorkerTree

APPS = "tests.jobs_app,tests.faults.conditions.troubled"
STEPS = 40


class Workload:
    """Steps, a stream with checkpoints, and children; every call leaves a line outside the database."""

    def __init__(self, tree: WorkerTree, folder: Path) -> None:
        self._tree = tree
        self._lines, self._counted, self._marched = folder / "lines", folder / "counted", folder / "marched"
        lines = {"path": str(self._lines), "steps": STEPS, "pause_seconds": 0.1}
        words = {"path": str(self._counted), "words": STEPS, "pause_seconds": 0.1}
        self.runs = [
            tree.ask("start", "append-lines", lines),
            tree.ask("start", "count-with-checkpoints", words),
            tree.ask("start", "parade", {"path": str(self._marched), "children": 10}),
        ]

    def wait_until_under_way(self) -> None:
        self._tree.wait_for(lambda: all(len(seen) >= 2 for seen in self._seen()), 30, "second line of each")

    def assert_completes(self, repeated: int = 0) -> None:
        """All end, nothing is lost, and at most `repeated` steps of each file were under way in a process that died."""
        for run in self.runs:
            found = self._tree.finish(run, within=90)
            assert found["status"] == "completed", found["error"]
            events = self._tree.ask("events", run)
            assert [event["sequence"] for event in events] == list(range(1, len(events) + 1))
        lines, counted, marched = self._seen()
        _assert_each_once(lines, [f"line-{number}" for number in range(1, STEPS + 1)], repeated)
        _assert_each_once(counted, [str(number) for number in range(STEPS)], repeated)
        _assert_each_once(marched, [f"child-{number}" for number in range(1, 11)], repeated)
        checked = self._tree.manage("check_invariants", check=False)
        assert checked.returncode == 0, checked.stdout

    def _seen(self) -> list[list[str]]:
        files = (self._lines, self._counted, self._marched)
        return [file.read_text().split() if file.exists() else [] for file in files]


def _assert_each_once(seen: list[str], wanted: list[str], repeated: int) -> None:
    counts = Counter(seen)
    assert sorted(counts) == sorted(wanted)
    assert sum(counts.values()) - len(wanted) <= repeated, counts.most_common(3)
