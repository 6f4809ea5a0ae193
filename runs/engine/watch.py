"""What a driver must know of the runs that it holds: whether it still does, and whether something arrived."""

from collections.abc import Iterable
from typing import Any, NamedTuple
from uuid import UUID

from runs.models import Run


class Look(NamedTuple):
    """What a loaded run's row says to the process that drives it."""

    token: int
    inbox: int
    pause_wanted: bool
    pause_event: dict[str, Any]


def fetch_leases(run_ids: Iterable[UUID]) -> dict[UUID, Look]:
    """One query for all loaded runs; a deleted run is missing."""
    shown = ("id", "lease_token", "inbox", "pause_wanted", "pause_event")
    rows = Run.objects.filter(id__in=list(run_ids)).values_list(*shown)
    return {row[0]: Look(*row[1:]) for row in rows}
