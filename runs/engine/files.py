"""Where the bytes of artefacts lie: in the storage `artifacts`, by run and digest."""

import os
import tempfile
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.files.base import ContentFile, File
from django.core.files.storage import FileSystemStorage, Storage, storages
from django.utils.deconstruct import deconstructible


@deconstructible(path="runs.engine.files.ArtifactStorage")
class ArtifactStorage(FileSystemStorage):
    """A folder whose files are there whole or not at all, for the eyes of their owner only."""

    def get_available_name(self, name: str, max_length: int | None = None) -> str:
        return name  # the same content again replaces what a crash may have left of it

    def _save(self, name: str, content: "File[Any]") -> str:
        path = Path(self.path(name))
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, unfinished = tempfile.mkstemp(dir=path.parent, prefix=".")  # readable by its owner only
        try:
            with os.fdopen(handle, "wb") as file:
                for chunk in content.chunks():
                    file.write(chunk)
                file.flush()
                os.fsync(file.fileno())
            os.replace(unfinished, path)
        except BaseException:
            Path(unfinished).unlink(missing_ok=True)
            raise
        _sync_folder(path.parent)
        return name


def _sync_folder(folder: Path) -> None:
    """The file's name must outlive a power cut as the row that tells it does."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def storage() -> Storage:
    """The storage that STORAGES calls `artifacts`."""
    return storages["artifacts"]


def digest_of(content: bytes) -> str:
    return sha256(content).hexdigest()


def write(run_id: UUID, content: bytes) -> str:
    """Keep the content for a run; its path. The same content is kept once."""
    path = f"{run_id}/{digest_of(content)}"
    files = storage()
    if files.exists(path) and files.size(path) == len(content):
        return path
    return files.save(path, ContentFile(content))


def read(path: str) -> bytes:
    """Raises FileNotFoundError, OSError."""
    with storage().open(path) as file:
        content: bytes = file.read()
    return content
