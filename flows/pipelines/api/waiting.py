"""Waiting for the end of a job, for callers of the mode `sync`."""

import time
from datetime import timedelta
from uuid import UUID

from django.db import connection

from runs import clock
from runs.models import ENDED, Run

_FIRST_PAUSE, _LONGEST_PAUSE = 0.02, 0.5


def wait_for_end(run_id: UUID, limit: timedelta) -> bool:
    """Has the run ended within `limit`? A look at its row now and then: the request has a thread of its own."""
    until = clock.monotonic() + limit.total_seconds()
    pause = _FIRST_PAUSE
    while not Run.objects.filter(id=run_id, status__in=ENDED).exists():
        left = until - clock.monotonic()
        if left <= 0:
            return False
        if not connection.in_atomic_block:
            connection.close()  # many who wait must not hold a connection each
        time.sleep(min(pause, left))
        pause = min(pause * 2, _LONGEST_PAUSE)
    return True
