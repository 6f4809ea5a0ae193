"""The approved release, in a folder of its own."""

import shutil
from pathlib import Path
from uuid import UUID

from examples.release_train.archive import check_digest, path_of
from examples.release_train.schema import Archive, Notes
from examples.work_folder import work_folder


def publish(run_id: UUID, archive: Archive, notes: Notes) -> str:
    """Copy the archive, with notes and checksum beside it; the folder. Raises ArchiveDamaged; then nothing is there.

    Done again after a crash, it gives the same files.
    """
    check_digest(archive)
    target = work_folder("release-train", run_id)
    shutil.copyfile(archive.path, target / Path(archive.path).name)
    (target / "NOTES.md").write_text(notes.text + "\n")
    (target / "SHA256SUMS").write_text(f"{archive.sha256}  {Path(archive.path).name}\n")
    return str(target)


def discard(archive: Archive) -> bool:
    """Remove the archive of a release that was not approved; whether it was still there. Raises ArchiveDamaged."""
    path = path_of(archive)
    there = path.is_file()
    path.unlink(missing_ok=True)
    return there
