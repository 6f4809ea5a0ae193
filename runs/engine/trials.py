"""Which run kills its workers, when several were driven by each that died: those with one claim left are tried alone.

Without it the one poisonous run takes along all others of its process, claim by claim, and all are paused.
"""

from datetime import timedelta
from typing import Final
from uuid import UUID

from django.db.models import Q

from runs import clock
from runs.conf import get_settings
from runs.models import Run

TRIAL: Final = timedelta(seconds=10)
"""A run that has lived so long, or recorded a step, is not the one."""


def suspected() -> Q:
    """Runs with one claim left: a worker tries one of them at a time."""
    return Q(claims=get_settings().max_claims - 1)


def is_under_way(worker_id: UUID) -> bool:
    """Whether the worker drives a run on its last claim, and it is too early to say that it lives."""
    tried = Run.objects.filter(lease_worker=worker_id, claims__gte=get_settings().max_claims)
    return tried.filter(claimed_at__gt=clock.sql_now() - TRIAL).exists()
