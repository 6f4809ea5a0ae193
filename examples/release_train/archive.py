"""The zip of a release: every file of the folder but hidden, generated and installed ones."""

import hashlib
import os
import stat
import zipfile
from pathlib import Path
from uuid import UUID

from django.conf import settings

from examples.release_train.schema import Archive, Release
from examples.repository_report.folder import SKIPPED_FOLDERS, LeavesFolder
from examples.work_folder import work_folder

MOST_FILES = 5000
MOST_BYTES = 100_000_000
_SAME_DATE = (1980, 1, 1, 0, 0, 0)


class TooLargeToRelease(Exception):
    def __init__(self, folder: str) -> None:
        super().__init__(
            f"{folder!r} has more than {MOST_FILES} files or {MOST_BYTES} bytes. Release a folder of its own."
        )


class ArchiveDamaged(Exception):
    def __init__(self, path: str) -> None:
        super().__init__(f"The archive {path!r} is not as it was packed. Start the release again.")


def list_everything(release: Release) -> list[str]:
    """Paths relative to the folder, sorted; links and the data directory are left out. Raises TooLargeToRelease."""
    root = Path(release.folder)
    found, size = [], 0
    own = Path(settings.DATA_DIR).resolve()
    for place, folders, names in os.walk(root, followlinks=False):
        folders[:] = [name for name in folders if name not in SKIPPED_FOLDERS and not name.startswith(".")]
        if Path(place).is_relative_to(own):
            folders.clear()
            continue
        for path in (Path(place, name) for name in names if not name.startswith(".")):
            about = path.lstat()
            if stat.S_ISREG(about.st_mode) and str(path).isprintable():
                found.append(path.relative_to(root).as_posix())
                size += about.st_size
        if len(found) > MOST_FILES or size > MOST_BYTES:
            raise TooLargeToRelease(release.folder)
    return sorted(found)


def pack(run_id: UUID, release: Release, paths: list[str]) -> Archive:
    """Write the zip into the run's work folder; again after a crash. Raises LeavesFolder, OSError."""
    name = f"{Path(release.folder).name}-{release.version}"
    target = work_folder("release-archive", run_id) / f"{name}.zip"
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in paths:
            entry = zipfile.ZipInfo(f"{name}/{path}", _SAME_DATE)
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, _read(release.folder, path))
    return Archive(path=str(target), files=len(paths), bytes=target.stat().st_size, sha256=digest_of(target))


def path_of(archive: Archive) -> Path:
    """Where it lies: among the archives of releases. Raises ArchiveDamaged.

    Whoever forks a run may write another path into a recorded result.
    """
    path, place = Path(archive.path).resolve(), (Path(settings.DATA_DIR) / "work" / "release-archive").resolve()
    if path.parent.parent != place or path.suffix != ".zip":
        raise ArchiveDamaged(archive.path)
    return path


def verify(archive: Archive) -> Archive:
    """The same archive, read back whole. Raises ArchiveDamaged."""
    with zipfile.ZipFile(path_of(archive)) as found:
        if found.testzip() is not None or len(found.namelist()) != archive.files:
            raise ArchiveDamaged(archive.path)
    check_digest(archive)
    return archive


def check_digest(archive: Archive) -> None:
    """Raises ArchiveDamaged."""
    path = path_of(archive)
    if not path.is_file() or digest_of(path) != archive.sha256:
        raise ArchiveDamaged(archive.path)


def digest_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _read(folder: str, path: str) -> bytes:
    full = Path(folder, path)
    if full.resolve() != full or not full.is_relative_to(folder):
        raise LeavesFolder(path)
    descriptor = os.open(full, os.O_RDONLY | os.O_NOFOLLOW)
    with os.fdopen(descriptor, "rb") as file:
        return file.read(MOST_BYTES)
