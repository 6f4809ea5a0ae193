"""Rows of artefacts beyond those that a worker's transition writes: read, copied to forks, and their files let go."""

import logging
from collections.abc import Iterable
from uuid import UUID

from django.db import transaction

from runs.engine import files
from runs.engine.store.rows import get
from runs.errors import ArtifactNotFound
from runs.models import Artifact, Run

log = logging.getLogger(__name__)


def artifacts(run_id: UUID | str) -> list[Artifact]:
    """All versions, by name and version. Raises RunNotFound."""
    return list(Artifact.objects.filter(run=get(run_id)).order_by("name", "version"))


def find(run_id: UUID | str, name: str, version: int | None = None) -> Artifact:
    """That version, or the newest. Raises RunNotFound, ArtifactNotFound."""
    of_name = Artifact.objects.filter(run=get(run_id), name=name.replace("\0", "")).order_by("-version")
    found = (of_name if version is None else of_name.filter(version=version)).first()
    if found is None:
        raise ArtifactNotFound(run_id, name, version)
    return found


def content_of(artifact: Artifact) -> bytes:
    """Raises ArtifactNotFound where the storage has lost the file."""
    try:
        return files.read(artifact.path)
    except FileNotFoundError as exc:
        raise ArtifactNotFound(artifact.run_id, artifact.name, artifact.version, lost=True) from exc


def copy_to_fork(old: Run, run: Run, steps: Iterable[str]) -> None:
    """The fork has what the steps that it keeps have saved; both name the same files."""
    kept = list(Artifact.objects.filter(run=old, step_name__in=list(steps)).order_by("id"))
    for artifact in kept:
        artifact.pk, artifact.run = None, run
    Artifact.objects.bulk_create(kept)


def let_files_go(run_ids: Iterable[UUID]) -> None:
    """In the transaction that deletes these runs, before it does: afterwards, files that no run names any more go."""
    paths = set(Artifact.objects.filter(run__in=list(run_ids)).values_list("path", flat=True))
    if paths:
        transaction.on_commit(lambda: remove_unnamed(paths))


def remove_unnamed(paths: Iterable[str]) -> int:
    """Remove files that no row names; how many. What the storage refuses stays for the next clean-up."""
    going = set(paths)
    going -= set(Artifact.objects.filter(path__in=going).values_list("path", flat=True))
    removed = 0
    for path in sorted(going):
        try:
            files.storage().delete(path)
            removed += 1
        except OSError:
            log.warning("The file %s of an artefact cannot be removed; the next clean-up tries again.", path)
    return removed
