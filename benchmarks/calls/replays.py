"""A run with a long history, unloaded and woken."""

import time

from benchmarks.calls.signals import seen_after
from benchmarks.calls.waiting import unloaded, until
from runs import jobs
from runs.models import Step


def prepare(steps: int) -> str:
    """A run that has so many recorded steps and waits in the table alone; its id."""
    run = jobs.start("bench-signals", {"steps": steps}).run
    unloaded([run], within=900)
    return str(run.id)


def replay(run_id: str, number: int) -> float:
    """Seconds from before the signal of that number to the line after the wait: claim, replay, consumption."""
    run = jobs.get(run_id)
    at = time.time()
    jobs.signal(run_id, "go")
    until(Step.objects.filter(run=run, name=f"seen-{number}").exists, "the signal was seen")
    unloaded([run])
    return seen_after(run, number, at) / 1000
