"""Recording steps."""

from django.db import transaction

from benchmarks.calls.waiting import ended, worked
from runs import jobs


def lone(steps: int) -> float:
    """Milliseconds for each step of one run, from its claim to its end."""
    return worked(ended([jobs.start("bench-steps", {"steps": steps}).run])) * 1000 / steps


def crowd(runs: int, steps: int) -> float:
    """Steps a second of runs that appear at once, from the first claim to the last end."""
    with transaction.atomic():
        begun = [jobs.start("bench-steps", {"steps": steps}).run for _ in range(runs)]
    return runs * steps / worked(ended(begun))
