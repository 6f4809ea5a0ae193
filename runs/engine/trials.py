"""Which run kills its workers, when several were driven by each that died: those with one claim left are tried alone.

Without it the one poisonous run takes along all others of its process, claim by claim, and all are paused.
"""

from datetime import timedelta
from typing import Final
from uuid import UUID

from runs import clock
from runs.conf import get_settings
from runs.models import Run

TRIAL: Final = timedelta(seconds=10)
"""A run that has lived so long, or recorded a step, is not the one."""


def alone(runs: list[Run], worker_id: UUID) -> list[Run]:
    """Those that the worker may take now: at most one that has one claim left, and none while another is on trial."""
    last = get_settings().max_claims - 1
    suspects = [run for run in runs if run.claims == last]
    if not suspects:
        return runs
    tried = [] if _is_trying(worker_id) else suspects[:1]
    return [run for run in runs if run.claims != last or run in tried]


def _is_trying(worker_id: UUID) -> bool:
    tried = Run.objects.filter(lease_worker=worker_id, claims__gte=get_settings().max_claims)
    return tried.filter(claimed_at__gt=clock.sql_now() - TRIAL).exists()
