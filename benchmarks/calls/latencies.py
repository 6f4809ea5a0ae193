"""How soon a run begins when nothing else is done."""

import random
import time
from typing import cast

from benchmarks.calls.waiting import ended
from runs import jobs
from runs.models import Run


def latencies(count: int) -> list[float]:
    """Milliseconds from before the call of `start` to the first line of the job's code, one run after the other."""
    begun = [_start_one() for _ in range(count)]
    runs = ended(run for _, run in begun)
    return [(cast(float, run.output) - at) * 1000 for (at, _), run in zip(begun, runs, strict=True)]


def _start_one() -> tuple[float, Run]:
    time.sleep(random.uniform(0.1, 0.2))  # idle again, and at another point of any regular look
    return time.time(), jobs.start("bench-moment").run
