"""Finds what a crash left between two transitions and does it: cheap, and called every second by each driver."""

from runs.engine.store import budgets, family
from runs.maintenance.retention import remove_completed


def sweep() -> int:
    """Parents that were not told of a child's end, children that outlived a cancelled parent, completed runs that are
    not kept, runs that wait for more budget and in whose name nobody is asked any more; how many."""
    return family.tell_parents() + remove_completed() + budgets.wake_forgotten()
