"""The removal of workspaces whose runs are gone."""

import asyncio
import os
from typing import Final
from uuid import UUID

from flows.agents.workspaces import places
from flows.agents.workspaces.workspace import discard
from runs import clock
from runs.models import Run

YOUNGEST_SECONDS: Final = 3600
"""A run that was just started elsewhere may not be seen yet by this one."""


def sweep() -> int:
    """How many were removed. A working copy is committed to its branch first."""
    known = list(places.known_runs())
    there = set(Run.objects.filter(id__in=known).values_list("id", flat=True))
    gone = [run_id for run_id in known if run_id not in there and _is_old(run_id)]
    for run_id in gone:
        asyncio.run(discard(run_id, places.read_note(run_id)))
    return len(gone)


def _is_old(run_id: UUID) -> bool:
    try:
        return clock.now().timestamp() - os.lstat(places.own_place(run_id)).st_mtime > YOUNGEST_SECONDS
    except FileNotFoundError:
        return True
