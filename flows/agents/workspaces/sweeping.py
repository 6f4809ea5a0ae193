"""The removal of workspaces whose runs are gone."""

import asyncio
import logging
import os
from typing import Final
from uuid import UUID

from flows.agents.workspaces import places
from flows.agents.workspaces.workspace import discard
from runs import clock
from runs.errors import RunsError
from runs.models import Run

_log = logging.getLogger(__name__)

YOUNGEST_SECONDS: Final = 3600
"""A run that was just started elsewhere may not be seen yet by this one."""


def sweep() -> int:
    """How many were removed. A working copy is committed to its branch first."""
    known = list(places.known_runs())
    there = set(Run.objects.filter(id__in=known).values_list("id", flat=True))
    gone = [run_id for run_id in known if run_id not in there and _is_old(run_id)]
    return sum(map(_is_removed, gone))


def _is_removed(run_id: UUID) -> bool:
    """What fails keeps no other from being removed: a repository may be out of reach, or another worker be at it."""
    try:
        asyncio.run(discard(run_id, places.read_note(run_id)))
    except (RunsError, OSError):
        _log.exception("The workspace of run %s, which is gone, was not removed", run_id)
        return False
    return True


def _is_old(run_id: UUID) -> bool:
    try:
        return clock.now().timestamp() - os.lstat(places.own_place(run_id)).st_mtime > YOUNGEST_SECONDS
    except FileNotFoundError:
        return True
