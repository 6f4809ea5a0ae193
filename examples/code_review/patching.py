"""Diffs put on the files of a folder, in memory, and diffs made of what came out."""

import difflib
import hashlib
import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from examples.code_review.diff import NOWHERE, FileChange, Hunk, lines_of
from examples.code_review.errors import DoesNotApply
from examples.repository_report.folder import HUGE_BYTES, LeavesFolder, read_inside

_FARTHEST = 200
"""Lines that a hunk may have moved away from where its head says."""


@dataclass(frozen=True)
class Versions:
    """A file before and after the change; None where there is no file."""

    path: str
    before: str | None
    after: str | None

    @property
    def digest(self) -> str:
        """SHA-256 of what the change was made for; empty for a file that was not there."""
        return "" if self.before is None else hashlib.sha256(self.before.encode()).hexdigest()


def versions_of(folder: str, change: FileChange) -> Versions:
    """Raises DoesNotApply. Nothing is written."""
    before = _read(folder, change)
    after = _patch(change, lines_of(before or ""))
    if change.kind == "removed":
        if after:
            raise DoesNotApply(change.path, "it removes the file but not all of its lines")
        return Versions(change.path, before, None)
    return Versions(change.path, before, "".join(after))


def write_diff(versions: Iterable[Versions]) -> str:
    """A unified diff of all of them, whose hunks say their numbers; files that did not change are not in it."""
    numbers = itertools.count(1)
    return "".join("".join(_diff_of(one, numbers)) for one in versions)


def _read(folder: str, change: FileChange) -> str | None:
    full = Path(folder, change.path)
    if change.kind == "added":
        if full.exists() or full.is_symlink() or not full.resolve().is_relative_to(folder):
            raise DoesNotApply(change.path, "it adds a file that is there already, or outside of the folder")
        return None
    try:
        found = read_inside(folder, change.path)
    except (OSError, LeavesFolder) as exc:
        raise DoesNotApply(change.path, f"it cannot be read: {exc}") from exc
    if len(found) >= HUGE_BYTES:
        raise DoesNotApply(change.path, f"it has more than {HUGE_BYTES} bytes")
    try:
        return found.decode()
    except UnicodeDecodeError as exc:
        raise DoesNotApply(change.path, "it is not text in UTF-8") from exc


def _patch(change: FileChange, before: list[str]) -> list[str]:
    after: list[str] = []
    place = moved = 0
    for hunk in change.hunks:
        at = _find(change.path, hunk, before, place, moved)
        after += before[place:at] + hunk.after
        place, moved = at + len(hunk.before), at - hunk.start
    return after + before[place:]


def _find(path: str, hunk: Hunk, before: list[str], earliest: int, moved: int) -> int:
    """Where the hunk's lines stand: where its head says, or the nearest place to that."""
    expected = hunk.start + moved
    for distance in range(_FARTHEST):
        for at in (expected + distance, expected - distance):
            if earliest <= at <= len(before) and before[at : at + len(hunk.before)] == hunk.before:
                return at
    raise DoesNotApply(path, f"the lines of hunk {hunk.number} are not in it near line {hunk.start + 1}")


def _diff_of(versions: Versions, numbers: Iterator[int]) -> Iterator[str]:
    old = NOWHERE if versions.before is None else f"a/{versions.path}"
    new = NOWHERE if versions.after is None else f"b/{versions.path}"
    for line in difflib.unified_diff(lines_of(versions.before or ""), lines_of(versions.after or ""), old, new):
        if line.startswith("@@"):
            yield f"{line.rstrip()} hunk {next(numbers)}\n"
        else:
            yield line if line.endswith("\n") else line + "\n\\ No newline at end of file\n"
