"""A unified diff by its files, hunks and blocks of changed lines: what the diff viewer shows."""

import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Literal

MAX_LINES = 5000
MAX_COMPARED = 3000
"""Lines of each text: matching takes time in the square of them."""
MAX_MARKED = 4000
"""Characters of two lines that are compared word by word."""
_HUNK = re.compile(r"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@(.*)")
_WORDS = re.compile(r"\w+|\W", re.DOTALL)
_NEITHER = "/dev/null"

Look = Literal["same", "add", "remove", "note"]


@dataclass(frozen=True)
class Line:
    """A line without its sign; `old` and `new` are its numbers, None on the side that has it not.

    `marked` is where a changed line differs from the one that it stands for, as places in the text.
    """

    look: Look
    text: str
    old: int | None = None
    new: int | None = None
    marked: tuple[int, int] | None = None


@dataclass(frozen=True)
class Block:
    """Lines that stay, or lines that are removed and those that are put in their place."""

    same: tuple[Line, ...] = ()
    removed: tuple[Line, ...] = ()
    added: tuple[Line, ...] = ()


@dataclass(frozen=True)
class Hunk:
    heading: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class DiffFile:
    """`change` is changed, added, removed or renamed; `headings` are all lines from the last file's end to the first
    hunk."""

    path: str
    old_path: str
    change: str
    headings: tuple[str, ...]
    hunks: tuple[Hunk, ...]

    @property
    def added(self) -> int:
        return sum(line.look == "add" for hunk in self.hunks for block in hunk.blocks for line in block.added)

    @property
    def removed(self) -> int:
        return sum(line.look == "remove" for hunk in self.hunks for block in hunk.blocks for line in block.removed)


@dataclass(frozen=True)
class Diff:
    """`rest` are lines behind the last hunk that belong to no file; `left_out` counts lines beyond MAX_LINES.

    Whoever decides about a diff sees each of its lines: none is left out as meaning nothing.
    """

    files: tuple[DiffFile, ...]
    rest: tuple[str, ...] = ()
    left_out: int = 0

    @property
    def added(self) -> int:
        return sum(file.added for file in self.files)

    @property
    def removed(self) -> int:
        return sum(file.removed for file in self.files)


def unified(old: str, new: str, name: str = "text") -> str | None:
    """The change from one text to the other as a unified diff; "" for equal ones, None for texts of too many lines."""
    if old == new:
        return ""
    before, after = old.splitlines(), new.splitlines()
    if max(len(before), len(after)) > MAX_COMPARED:
        return None
    return "\n".join(difflib.unified_diff(before, after, f"a/{name}", f"b/{name}", lineterm=""))


def read_diff(text: str) -> Diff:
    """All of a unified diff, at most MAX_LINES lines of it. What is no diff has no files, and is all rest."""
    lines = text.removesuffix("\n").split("\n")
    reader = _Reader(lines[:MAX_LINES])
    files = tuple(reader.files())
    return Diff(files, tuple(reader.skipped), max(0, len(lines) - MAX_LINES))


class _Reader:
    """A hunk is read by the counts of its heading: a removed line may look like the heading of a file."""

    def __init__(self, lines: Sequence[str]) -> None:
        self._lines, self._at = lines, 0
        self.skipped: list[str] = []

    def files(self) -> Iterator[DiffFile]:
        while self._at < len(self._lines):
            old, new = self._named("--- ", 0), self._named("+++ ", 1)
            if old is None or new is None:
                self.skipped.append(self._lines[self._at])
                self._at += 1
                continue
            headings = (*self.skipped, *self._lines[self._at : self._at + 2])
            self.skipped = []
            self._at += 2
            yield _file(old, new, headings, tuple(self._hunks()))

    def _named(self, beginning: str, ahead: int) -> str | None:
        line = self._lines[self._at + ahead] if self._at + ahead < len(self._lines) else ""
        return _path(line[len(beginning) :]) if line.startswith(beginning) else None

    def _hunks(self) -> Iterator[Hunk]:
        while self._at < len(self._lines) and (found := _HUNK.match(self._lines[self._at])):
            self._at += 1
            heading = self._lines[self._at - 1]
            counts = [1 if count is None else int(count) for count in (found[2], found[4])]
            yield Hunk(heading, tuple(_blocks(list(self._body(int(found[1]), int(found[3]), *counts)))))

    def _body(self, old: int, new: int, olds: int, news: int) -> Iterator[Line]:
        while self._at < len(self._lines) and (olds > 0 or news > 0 or self._lines[self._at].startswith("\\")):
            line = self._lines[self._at]
            sign, text = line[:1], line[1:]
            if sign == "\\":
                yield Line("note", line)
            elif sign == "-" and olds > 0:
                yield Line("remove", text, old=old)
                old, olds = old + 1, olds - 1
            elif sign == "+" and news > 0:
                yield Line("add", text, new=new)
                new, news = new + 1, news - 1
            elif sign in (" ", "") and olds > 0 and news > 0:
                yield Line("same", text, old, new)
                old, new, olds, news = old + 1, new + 1, olds - 1, news - 1
            else:
                return
            self._at += 1


def _file(old: str, new: str, headings: tuple[str, ...], hunks: tuple[Hunk, ...]) -> DiffFile:
    change = "added" if old == _NEITHER else "removed" if new == _NEITHER else "changed" if old == new else "renamed"
    return DiffFile(old if new == _NEITHER else new, old, change, headings, hunks)


def _path(named: str) -> str:
    """Without the `a/` or `b/` that git puts in front, and the time that others put behind."""
    path = named.split("\t")[0].strip()
    return path[2:] if path.startswith(("a/", "b/")) else path


def _blocks(lines: Sequence[Line]) -> Iterator[Block]:
    for is_change, group in groupby(_sides(lines), key=lambda placed: placed[0] != "same"):
        placed = list(group)
        if is_change:
            sides = ([line for side, line in placed if side == wanted] for wanted in ("remove", "add"))
            yield _change(*sides)
        else:
            yield Block(same=tuple(line for _, line in placed))


def _sides(lines: Sequence[Line]) -> Iterator[tuple[Look, Line]]:
    """A note is about the line before it, so it stands on the same side."""
    side: Look = "same"
    for line in lines:
        side = side if line.look == "note" else line.look
        yield side, line


def _change(removed: Sequence[Line], added: Sequence[Line]) -> Block:
    """Where as many lines come as go, each pair is marked where it differs."""
    if len(removed) == len(added) and not any(line.look == "note" for line in (*removed, *added)):
        pairs = [_marked(old, new) for old, new in zip(removed, added, strict=True)]
        removed, added = [old for old, _ in pairs], [new for _, new in pairs]
    return Block(removed=tuple(removed), added=tuple(added))


def _marked(old: Line, new: Line) -> tuple[Line, Line]:
    """Both with the words between what they begin with and what they end with alike."""
    if len(old.text) + len(new.text) > MAX_MARKED:
        return old, new
    before, after = _WORDS.findall(old.text), _WORDS.findall(new.text)
    start, longest = 0, min(len(before), len(after))
    while start < longest and before[start] == after[start]:
        start += 1
    end = 0
    while end < longest - start and before[-1 - end] == after[-1 - end]:
        end += 1
    if start + end == 0:  # nothing in common: the whole line is new
        return old, new
    return _with_mark(old, before, start, end), _with_mark(new, after, start, end)


def _with_mark(line: Line, words: Sequence[str], start: int, end: int) -> Line:
    behind = len(words) - end
    return replace(line, marked=(len("".join(words[:start])), len("".join(words[:behind]))))
