"""Removes files of artefacts that no row names: what a crash left between a file and its row, or after a deletion."""

import logging
from collections.abc import Iterable
from contextlib import suppress
from typing import Final
from uuid import UUID

from django.db import transaction

from runs import clock
from runs.engine import files
from runs.engine.store.artifacts import remove_unnamed
from runs.models import ENDED, Artifact, Run

log = logging.getLogger(__name__)

_AT_ONCE: Final = 200


def sweep_files(ends_at: float | None = None) -> int:
    """Look over the folders of all runs, until the clock's monotonic `ends_at`; how many files were removed.

    A run under way keeps what it has: a file there may be waiting for its row.
    """
    removed, folders = 0, _folders()
    for start in range(0, len(folders), _AT_ONCE):
        if ends_at is not None and clock.monotonic() > ends_at:
            break
        some = folders[start : start + _AT_ONCE]
        at_work = set(Run.objects.filter(id__in=some).exclude(status__in=ENDED).values_list("id", flat=True))
        for run_id in some:
            if run_id not in at_work:
                removed += _sweep_folder(run_id)
    if removed:
        log.info("Removed %d files of artefacts that no run names.", removed)
    return removed


def _folders() -> list[UUID]:
    """The folders that are named by runs; what else lies there is not ours."""
    try:
        names, _ = files.storage().listdir("")
    except FileNotFoundError:
        return []  # no run has saved anything yet
    found = []
    for name in names:
        with suppress(ValueError):
            found.append(UUID(name))
    return found


def _sweep_folder(run_id: UUID) -> int:
    paths = _paths(run_id)
    if paths - _named(paths):
        # Under the lock: an operator's retry would let a worker take up a file again just before it goes.
        with transaction.atomic():
            run = Run.objects.select_for_update(no_key=True, of=("self",)).filter(id=run_id).first()
            if run is not None and not run.has_ended:
                return 0
            removed = remove_unnamed(_paths(run_id))
    else:
        removed = 0
    _remove_empty(run_id)
    return removed


def _paths(run_id: UUID) -> set[str]:
    try:
        _, names = files.storage().listdir(str(run_id))
    except FileNotFoundError:
        return set()
    return {f"{run_id}/{name}" for name in names}


def _named(paths: Iterable[str]) -> set[str]:
    return set(Artifact.objects.filter(path__in=list(paths)).values_list("path", flat=True))


def _remove_empty(run_id: UUID) -> None:
    """The folder itself, of a run that is gone or has ended; a storage without folders has none."""
    with suppress(OSError, NotImplementedError):
        if not _paths(run_id):
            files.storage().delete(str(run_id))
