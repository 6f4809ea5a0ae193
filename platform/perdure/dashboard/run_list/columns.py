"""What a list shows of each run, beside its status and its job."""

from collections.abc import Iterable

COLUMNS = {
    "progress": "Progress",
    "for": "For",
    "created": "Created",
    "took": "Took",
    "tokens": "Tokens",
    "cost": "Cost",
    "version": "Version",
    "queue": "Queue",
    "labels": "Labels",
    "started": "Started",
    "ended": "Ended",
    "attempt": "Attempt",
    "priority": "Priority",
}
DEFAULT = ("progress", "for", "created", "took")


def chosen(names: Iterable[str]) -> tuple[str, ...]:
    """Those of the names that are columns, in the order of the table; none for what is shown anyway."""
    wanted = set(names)
    found = tuple(name for name in COLUMNS if name in wanted)
    return () if found == DEFAULT else found
