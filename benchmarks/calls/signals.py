"""How soon a waiting run goes on after a signal."""

import time
from typing import cast

from benchmarks.calls.waiting import ended, unloaded, until
from runs import jobs
from runs.models import Run, Step

REST_SECONDS = 0.2
"""Long enough for a run to wait again, shorter than the second after which it is unloaded."""


def signal_loaded(count: int) -> list[float]:
    """Milliseconds from before each `signal` to the next line of the job's code; the run keeps its worker."""
    run = jobs.start("bench-signals", {"steps": 0}).run
    until(lambda: Run.objects.get(id=run.id).started_at is not None, "a run that waits for signals")
    sent = [_send(run, number) for number in range(count)]
    jobs.signal(run.id, "go", "end")
    ended([run])
    return [seen_after(run, number, at) for number, at in enumerate(sent)]


def signal_unloaded(count: int) -> list[float]:
    """The same for runs that wait in the table alone, one after the other."""
    runs = [jobs.start("bench-signals", {"steps": 0}).run for _ in range(count)]
    unloaded(runs)
    sent = [_send(run, 0) for run in runs]
    for run in runs:
        jobs.signal(run.id, "go", "end")
    ended(runs)
    return [seen_after(run, 0, at) for run, at in zip(runs, sent, strict=True)]


def seen_after(run: Run, number: int, sent: float) -> float:
    """Milliseconds from `sent` to when the run's code had its signal of that number."""
    seen = cast(float, Step.objects.get(run=run, name=f"seen-{number}").output)
    return (seen - sent) * 1000


def _send(run: Run, number: int) -> float:
    """Sends and waits until that was seen, or one would queue behind another."""
    time.sleep(REST_SECONDS)
    at = time.time()
    jobs.signal(run.id, "go")
    until(Step.objects.filter(run=run, name=f"seen-{number}").exists, "the signal was seen")
    return at
