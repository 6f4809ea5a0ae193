"""What a driver must know of the runs that it holds: whether it still does, and whether something arrived."""

from collections.abc import Iterable
from uuid import UUID

from runs.models import Run


def fetch_leases(run_ids: Iterable[UUID]) -> dict[UUID, tuple[int, int]]:
    """`{run_id: (lease_token, inbox)}`; a deleted run is missing."""
    rows = Run.objects.filter(id__in=list(run_ids)).values_list("id", "lease_token", "inbox")
    return {run_id: (token, inbox) for run_id, token, inbox in rows}
