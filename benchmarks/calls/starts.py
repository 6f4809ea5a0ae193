"""Starting many runs of one step."""

import time

from benchmarks.calls.waiting import ended
from runs import jobs
from runs.models import Run


def starts(count: int) -> dict[str, float]:
    """Runs a second, started one by one: calls that returned, and runs that ended."""
    begun = time.time()
    runs = [jobs.start("bench-moment").run for _ in range(count)]
    started = time.time()
    return {"started": count / (started - begun), "finished": count / (_last_end(runs) - begun)}


def start_many(count: int) -> dict[str, float]:
    """The same by one call."""
    begun = time.time()
    runs = [started.run for started in jobs.start_many([jobs.NewRun("bench-moment")] * count)]
    started = time.time()
    return {"started": count / (started - begun), "finished": count / (_last_end(runs) - begun)}


def _last_end(runs: list[Run]) -> float:
    return max(run.finished_at.timestamp() for run in ended(runs) if run.finished_at)
