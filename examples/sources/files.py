"""The text files of an allowed folder: nothing outside it, hidden, ignored, installed, secret, binary or huge."""

import hashlib
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from examples.repository_report.folder import HUGE_BYTES, SKIPPED_FOLDERS, LeavesFolder, read_inside
from examples.sources.allowed import allowed_folder, is_own_data
from examples.sources.errors import NotShown
from examples.sources.exclusions import Exclusion, holds_secret, is_excluded, is_secret_name, read_exclusions
from examples.sources.schema import Source

MOST_FILES = 5_000
CODE = frozenset(
    [
        ".py",
        ".pyi",
        ".js",
        ".mjs",
        ".ts",
        ".tsx",
        ".jsx",
        ".go",
        ".rs",
        ".java",
        ".kt",
        ".c",
        ".h",
        ".cc",
        ".cpp",
        ".hpp",
        ".rb",
        ".php",
        ".sh",
        ".sql",
        ".css",
    ]
)
PAGES = frozenset({".md", ".rst"})


def paths_of(folder: str, suffixes: frozenset[str], left_out: Counter[str] | None = None) -> list[str]:
    """Paths below the folder, sorted; at most MOST_FILES. Raises FolderNotAllowed."""
    counted = Counter[str]() if left_out is None else left_out
    found = sorted(_walk(allowed_folder(folder), suffixes, counted))
    counted["over the maximum"] += max(0, len(found) - MOST_FILES)
    return found[:MOST_FILES]


def read_source(folder: str, path: str) -> Source:
    """One of the files that `paths_of` names, or one that is written like them. Raises FolderNotAllowed, NotShown."""
    root = allowed_folder(folder)
    parts = Path(path).parts
    if not path.isprintable() or any(one == ".." or is_secret_name(one) for one in parts) or is_own_data(root / path):
        raise NotShown(path, "is hidden, secret, or outside of the folder")
    if SKIPPED_FOLDERS.intersection(parts) or _is_ignored(root, parts):
        raise NotShown(path, "is left out by .gitignore, or is not the folder's own")
    return read_listed(root, path)


def read_listed(root: Path, path: str) -> Source:
    """A file that `paths_of` just named. Raises NotShown."""
    try:
        found = read_inside(str(root), path)
    except (OSError, LeavesFolder, ValueError) as exc:
        raise NotShown(path, "cannot be read") from exc
    if len(found) >= HUGE_BYTES:
        raise NotShown(path, f"has more than {HUGE_BYTES} bytes")
    try:
        text = found.decode()
    except UnicodeDecodeError as exc:
        raise NotShown(path, "is not text in UTF-8") from exc
    if "\0" in text or holds_secret(text):
        raise NotShown(path, "is not text, or holds a secret")
    return Source(path=path, text=text, digest=hashlib.sha256(found).hexdigest())


def _walk(root: Path, suffixes: frozenset[str], left_out: Counter[str]) -> Iterator[str]:
    rules: dict[str, list[Exclusion]] = {}
    for place, folders, names in os.walk(root, followlinks=False):
        inside = Path(place).relative_to(root).as_posix().removeprefix(".")
        above = rules.get(inside.rpartition("/")[0], []) if inside else []
        rules[inside] = own = above + read_exclusions(Path(place), inside)
        prefix = f"{inside}/" if inside else ""
        folders[:] = [one for one in folders if _is_entered(Path(place, one), prefix + one, own)]
        for name in names:
            if Path(name).suffix not in suffixes:
                continue
            reason = _reason_to_leave_out(Path(place, name), prefix + name, own)
            if reason:
                left_out[reason] += 1
            else:
                yield prefix + name


def _is_entered(folder: Path, path: str, rules: list[Exclusion]) -> bool:
    if folder.name in SKIPPED_FOLDERS or folder.name.startswith(".") or is_own_data(folder):
        return False
    return not is_excluded(path, True, rules)


def _reason_to_leave_out(file: Path, path: str, rules: list[Exclusion]) -> str:
    """Empty for one to look through."""
    if not path.isprintable():
        return "unprintable name"
    if is_secret_name(file.name):
        return "named as secrets are"
    if file.is_symlink() or not file.is_file():
        return "link or no file"
    return "ignored by .gitignore" if is_excluded(path, False, rules) else ""


def _is_ignored(root: Path, parts: tuple[str, ...]) -> bool:
    """By the `.gitignore` of any folder on the way."""
    rules: list[Exclusion] = []
    for number in range(len(parts)):
        inside = "/".join(parts[:number])
        rules += read_exclusions(root / inside, inside)
        if is_excluded("/".join(parts[: number + 1]), number + 1 < len(parts), rules):
            return True
    return False
