"""Usage by the hour: workers add what attempts have used since they last looked."""

from datetime import timedelta

from runs import clock
from runs.engine.store.usage import BATCH, count_usage, forget_usage

__all__ = ["count_all", "forget_old"]

KEPT = timedelta(days=400)
"""So a month can be held against the same of the year before."""

_MOST_BATCHES = 20


def count_all(batches: int = _MOST_BATCHES) -> int:
    """Add what is left, in transactions of their own and up to so many; how many attempts. For every few seconds."""
    done = 0
    for _ in range(batches):
        counted = count_usage()
        done += counted
        if counted < BATCH:
            break
    return done


def forget_old() -> int:
    return forget_usage(clock.now() - KEPT)
