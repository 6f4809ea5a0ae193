"""Unified diffs as `diff -u` and git write them, read into files and hunks."""

import re
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Literal

from examples.code_review.errors import UnreadableDiff

MAX_CHARACTERS = 200_000
MAX_FILES = 50
NOWHERE = "/dev/null"
Kind = Literal["added", "changed", "removed"]

_HUNK = re.compile(r"@@ -(\d{1,9})(?:,(\d{1,9}))? \+(\d{1,9})(?:,(\d{1,9}))? @@")
_REFUSED = (
    ("rename from", "renames a file", "Make the diff with --no-renames."),
    ("copy from", "copies a file", "Make the diff with --no-renames."),
    ("GIT binary patch", "holds a binary file", "Leave binary files out."),
    ("Binary files", "names a binary file", "Leave binary files out."),
)


@dataclass(frozen=True)
class Hunk:
    """One changed place. `number` counts the hunks of the whole diff; `start` is where it begins in the old file,
    from 0; lines keep their endings."""

    number: int
    start: int
    before: list[str] = field(default_factory=list)
    after: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class FileChange:
    """What a diff does to one file. `path` is relative to the folder and never leads out of it."""

    path: str
    kind: Kind
    hunks: list[Hunk]


def lines_of(text: str) -> list[str]:
    """The lines with their endings; only a newline ends one."""
    return re.findall(r"[^\n]*\n|[^\n]+", text)


def parse_diff(text: str) -> list[FileChange]:
    """Every file that the diff changes, in order. Raises UnreadableDiff."""
    return _Reader(_without_form_endings(text)).read()


def _without_form_endings(text: str) -> list[str]:
    """A form sends every line with CR LF, the header lines too; the lines of a file with such endings stay."""
    lines = lines_of(text)
    if any(line.startswith("--- ") and line.endswith("\r\n") for line in lines):
        return [line.removesuffix("\r\n").removesuffix("\n") + "\n" for line in lines]
    return lines


class _Reader:
    def __init__(self, lines: list[str]) -> None:
        self._lines = lines
        self._place = 0
        self._hunks = 0

    def read(self) -> list[FileChange]:
        files: list[FileChange] = []
        while self._place < len(self._lines):
            line = self._lines[self._place]
            for beginning, problem, remedy in _REFUSED:
                if line.startswith(beginning):
                    raise self._unreadable(problem, remedy)
            if line.startswith("--- "):
                files.append(self._read_file())
            elif line.startswith("@@"):
                raise self._unreadable("begins a hunk of no file", "Send the lines with --- and +++ too.")
            else:
                self._place += 1
        self._check_files(files)
        return files

    def _check_files(self, files: list[FileChange]) -> None:
        if not files:
            raise self._unreadable("is its last, and it changes no file", "Give a unified diff, as of git diff.")
        if len(files) > MAX_FILES:
            raise self._unreadable(f"is beyond {MAX_FILES} files", "Review fewer at once.")
        paths = [file.path for file in files]
        if twice := next((path for path in paths if paths.count(path) > 1), None):
            raise self._unreadable(f"changes {twice!r} again", "Put all changes of a file under one header.")

    def _read_file(self) -> FileChange:
        old = self._name("--- ")
        if not self._next_line().startswith("+++ "):
            raise self._unreadable("is not the +++ that follows ---", "Give a unified diff, as of git diff.")
        new = self._name("+++ ")
        if (old.startswith("a/") or old == NOWHERE) and (new.startswith("b/") or new == NOWHERE):
            old, new = old.removeprefix("a/"), new.removeprefix("b/")
        kind: Kind = "added" if old == NOWHERE else "removed" if new == NOWHERE else "changed"
        path = new if old == NOWHERE else old
        if kind == "changed" and old != new:
            raise self._unreadable(f"renames {old!r}", "Make the diff with --no-renames.")
        self._check_path(path)
        hunks = []
        while self._next_line().startswith("@@"):
            hunks.append(self._read_hunk())
        if not hunks:
            raise self._unreadable(f"should begin a hunk of {path!r}", "Give a unified diff, as of git diff.")
        return FileChange(str(PurePosixPath(path)), kind, hunks)

    def _name(self, mark: str) -> str:
        name = self._lines[self._place].removeprefix(mark).rstrip("\n").partition("\t")[0].strip()
        self._place += 1
        return name

    def _next_line(self) -> str:
        return self._lines[self._place] if self._place < len(self._lines) else ""

    def _check_path(self, path: str) -> None:
        parts = PurePosixPath(path)
        wrong = parts.is_absolute() or ".." in parts.parts or not parts.parts or "\\" in path or path.startswith('"')
        if wrong or not path.isprintable() or len(path) > 500:
            raise self._unreadable(f"names the path {path[:100]!r}", "Use plain paths that stay inside the folder.")

    def _read_hunk(self) -> Hunk:
        found = _HUNK.match(self._lines[self._place])
        if found is None:
            raise self._unreadable("is no head of a hunk", "It reads as in @@ -1,3 +1,4 @@.")
        start, old_count, new_count = int(found[1]), int(found[2] or 1), int(found[4] or 1)
        self._place += 1
        self._hunks += 1
        hunk = Hunk(self._hunks, start if old_count == 0 else start - 1)
        while len(hunk.before) < old_count or len(hunk.after) < new_count or self._next_line().startswith("\\"):
            self._read_line(hunk)
        following = self._next_line()
        goes_on = following[:1] in ("+", "-", " ") and not following.startswith(("--- ", "-- \n"))
        if goes_on or len(hunk.before) != old_count or len(hunk.after) != new_count or hunk.start < 0:
            raise self._unreadable("has more lines than its hunk's head counts", "Make the diff again.")
        return hunk

    def _read_line(self, hunk: Hunk) -> None:
        line = self._next_line()
        mark, rest = line[:1], line[1:]
        if mark == "\\" and self._lines[self._place - 1][0] in " +-":
            _end_without_newline(hunk, self._lines[self._place - 1][0])
        elif mark in ("-", " ", "\n"):
            hunk.before.append(rest or "\n")
        if mark in ("+", " ", "\n"):
            hunk.after.append(rest or "\n")
        elif mark not in ("-", "\\"):
            raise self._unreadable("ends its hunk too early", "Make the diff again; it was cut or edited.")
        self._place += 1

    def _unreadable(self, problem: str, remedy: str) -> UnreadableDiff:
        return UnreadableDiff(min(self._place + 1, max(len(self._lines), 1)), problem, remedy)


def _end_without_newline(hunk: Hunk, mark: str) -> None:
    for side in {" ": (hunk.before, hunk.after), "-": (hunk.before,), "+": (hunk.after,)}[mark]:
        side[-1] = side[-1].removesuffix("\n")
