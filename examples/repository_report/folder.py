"""Which files of a folder are source: nothing outside it, nothing installed, generated, binary or huge."""

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from examples.repository_report.schema import FolderListing

SKIPPED_FOLDERS = frozenset({"venv", "var", "node_modules", "vendor", "site-packages", "__pycache__", "build", "dist"})
HUGE_BYTES = 1_000_000
_SUFFIXES = (".py", ".pyi")
_LOOKED_AT_BYTES = 8192


class FolderNotUsable(Exception):
    def __init__(self, folder: str, problem: str) -> None:
        super().__init__(f"Folder {folder!r} {problem}. Give a folder with Python source on the worker's machine.")


class LeavesFolder(Exception):
    def __init__(self, path: str) -> None:
        super().__init__(f"{path!r} leads out of the folder or through a link. Files that are links are not read.")


def own_source() -> Path:
    """The folder that Perdure itself lies in."""
    return Path(__file__).resolve().parents[2]


def list_files(folder: str, maximum: int) -> FolderListing:
    """The Python files below `folder`, sorted by path, at most `maximum`.

    Links are never followed. Raises FolderNotUsable when there is nothing to read.
    """
    root = open_folder(folder)
    left_out: Counter[str] = Counter()
    found = []
    for path in _walk(root):
        reason = _reason_to_leave_out(path)
        if reason:
            left_out[reason] += 1
        else:
            found.append(path.relative_to(root).as_posix())
    if not found:
        raise FolderNotUsable(str(root), "has no Python files")
    left_out["over the maximum"] = max(0, len(found) - maximum)
    return FolderListing(
        folder=str(root), paths=sorted(found)[:maximum], left_out={k: n for k, n in left_out.items() if n}
    )


def read_inside(folder: str, path: str) -> bytes:
    """The content of the file `path` in `folder`; at most HUGE_BYTES of it.

    Raises LeavesFolder when it became a link since it was listed, or OSError when it cannot be read.
    """
    root = Path(folder)
    full = root / path
    if full.resolve() != full or not full.is_relative_to(root):
        raise LeavesFolder(path)
    descriptor = os.open(full, os.O_RDONLY | os.O_NOFOLLOW)
    with os.fdopen(descriptor, "rb") as file:
        return file.read(HUGE_BYTES)


def open_folder(folder: str) -> Path:
    """The folder, resolved; Perdure's own for an empty name. Raises FolderNotUsable."""
    root = Path(folder).resolve() if folder else own_source()
    if not root.exists():
        raise FolderNotUsable(str(root), "does not exist")
    if not root.is_dir():
        raise FolderNotUsable(str(root), "is not a folder")
    if not os.access(root, os.R_OK | os.X_OK):
        raise FolderNotUsable(str(root), "may not be read by the worker")
    return root


def _walk(root: Path) -> Iterator[Path]:
    for place, folders, names in os.walk(root, followlinks=False):
        folders[:] = sorted(name for name in folders if name not in SKIPPED_FOLDERS and not name.startswith("."))
        for name in names:
            if name.endswith(_SUFFIXES):
                yield Path(place, name)


def _reason_to_leave_out(path: Path) -> str | None:
    """Why this file is passed over; None for one to analyse."""
    if not str(path).isprintable():
        return "unprintable name"
    if path.is_symlink() or not path.is_file():
        return "link or no file"
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            beginning = file.read(_LOOKED_AT_BYTES)
    except OSError:
        return "unreadable"
    if size > HUGE_BYTES:
        return "huge"
    return "binary" if b"\0" in beginning else None
