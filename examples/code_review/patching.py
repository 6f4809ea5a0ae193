"""Diffs put on the files of a folder, in memory, and written again.

What is written holds the lines that the diff brought and no others: who may start a review learns nothing from it
about files that they could not read themselves.
"""

import difflib
import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from django.conf import settings

from examples.code_review.diff import NOWHERE, FileChange, Hunk, lines_of
from examples.code_review.errors import DoesNotApply
from examples.repository_report.folder import HUGE_BYTES, LeavesFolder, read_inside

_FARTHEST = 200
"""Lines that a hunk may have moved away from where its head says."""


@dataclass(frozen=True)
class Versions:
    """A file before and after the change; None where there is no file. `hunks` begin where their lines were found."""

    path: str
    before: str | None
    after: str | None
    hunks: list[Hunk] = field(default_factory=list)

    @property
    def digest(self) -> str:
        """SHA-256 of what the change was made for; empty for a file that was not there."""
        return "" if self.before is None else hashlib.sha256(self.before.encode()).hexdigest()


def versions_of(folder: str, change: FileChange) -> Versions:
    """Raises DoesNotApply. Nothing is written."""
    before = _read(folder, change)
    lines = lines_of(before or "")
    hunks = _place(change, lines)
    after = "".join(_patch(lines, hunks))
    if change.kind != "removed":
        return Versions(change.path, before, after, hunks)
    if after:
        raise DoesNotApply(change.path, "it removes the file but not all of its lines")
    return Versions(change.path, before, None, hunks)


def with_mended(versions: Versions, mended: str) -> Versions:
    """What of another text of the new version lies in the changed places; elsewhere the file stays as it is."""
    lines = lines_of(versions.after or "")
    match = difflib.SequenceMatcher(None, lines, new := lines_of(mended), autojunk=False)
    changed = [codes for codes in match.get_opcodes() if codes[0] != "equal"]
    hunks = []
    moved = 0
    for hunk in versions.hunks:
        begin, after = hunk.start + moved, list(hunk.after)
        for _, start, end, first, last in reversed(changed):
            if begin <= start and end <= begin + len(hunk.after):
                after[start - begin : end - begin] = new[first:last]
        moved += len(hunk.after) - len(hunk.before)
        hunks.append(replace(hunk, after=after))
    return replace(versions, after="".join(_patch(lines_of(versions.before or ""), hunks)), hunks=hunks)


def write_diff(versions: Iterable[Versions]) -> str:
    """A unified diff of all of them, whose hunks say their numbers; hunks that change nothing are not in it."""
    written = []
    number = 1
    for one in versions:
        hunks = [hunk for hunk in one.hunks if hunk.before != hunk.after]
        if hunks:
            written.append("".join(_head(one)))
        moved = 0
        for hunk in hunks:
            written.append("".join(_diff_of(hunk, moved, number)))
            moved += len(hunk.after) - len(hunk.before)
            number += 1
    return "".join(written)


def _read(folder: str, change: FileChange) -> str | None:
    full = Path(folder, change.path)
    if full.resolve().is_relative_to(Path(settings.DATA_DIR).resolve()):
        raise DoesNotApply(change.path, "it lies in Perdure's data directory")
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


def _place(change: FileChange, before: list[str]) -> list[Hunk]:
    placed: list[Hunk] = []
    place = moved = 0
    for hunk in change.hunks:
        at = _find(change.path, hunk, before, place, moved)
        place, moved = at + len(hunk.before), at - hunk.start
        placed.append(replace(hunk, start=at))
    return placed


def _patch(before: list[str], hunks: list[Hunk]) -> list[str]:
    after: list[str] = []
    place = 0
    for hunk in hunks:
        after += before[place : hunk.start] + hunk.after
        place = hunk.start + len(hunk.before)
    return after + before[place:]


def _find(path: str, hunk: Hunk, before: list[str], earliest: int, moved: int) -> int:
    """Where the hunk's lines stand: where its head says, or the nearest place to that."""
    expected = hunk.start + moved
    for distance in range(_FARTHEST):
        for at in (expected + distance, expected - distance):
            if earliest <= at <= len(before) and before[at : at + len(hunk.before)] == hunk.before:
                return at
    raise DoesNotApply(path, f"the lines of hunk {hunk.number} are not in it near line {hunk.start + 1}")


def _head(versions: Versions) -> Iterator[str]:
    yield f"--- {NOWHERE if versions.before is None else f'a/{versions.path}'}\n"
    yield f"+++ {NOWHERE if versions.after is None else f'b/{versions.path}'}\n"


def _diff_of(hunk: Hunk, moved: int, number: int) -> Iterator[str]:
    old, new = _range(hunk.start, len(hunk.before)), _range(hunk.start + moved, len(hunk.after))
    yield f"@@ -{old} +{new} @@ hunk {number}\n"
    whole = max(len(hunk.before), len(hunk.after))
    for line in list(difflib.unified_diff(hunk.before, hunk.after, n=whole))[3:]:
        yield line if line.endswith("\n") else line + "\n\\ No newline at end of file\n"


def _range(start: int, count: int) -> str:
    """As a hunk's head counts: from 1, and for no lines the line before them."""
    return f"{start + 1 if count else start}" + (f",{count}" if count != 1 else "")
