"""Unified diffs as pages show them; `frames.js` says the same of live ones."""

import re
from dataclasses import dataclass

MAX_LINES = 5000
_BEGINNING = re.compile(r"(?:diff [^\n]*\n|index [^\n]*\n)*--- [^\n]+\n\+\+\+ [^\n]+\n@@ ")


@dataclass(frozen=True)
class DiffLine:
    """A line of a unified diff and how it looks: add, remove, place or same."""

    look: str
    text: str


def is_diff(text: str) -> bool:
    """Whether the whole text is one or more unified diffs, as far as its beginning tells."""
    return _BEGINNING.match(text) is not None


def diff_lines(text: str) -> list[DiffLine]:
    """The lines of a unified diff, each with its look. Signs that nobody sees, or that turn text round, are spelt."""
    lines = text.removesuffix("\n").split("\n")
    shown = [DiffLine(_look(line), spelt(line)) for line in lines[:MAX_LINES]]
    left = len(lines) - len(shown)
    return [*shown, DiffLine("place", f"{left} more lines: read them over REST")] if left else shown


def _look(line: str) -> str:
    if line.startswith(("+++", "---", "@@", "diff ", "index ")):
        return "place"
    return "add" if line.startswith("+") else "remove" if line.startswith("-") else "same"


def spelt(line: str) -> str:
    """A line in which signs that nobody sees, or that turn text round, are spelt."""
    return "".join(sign if sign.isprintable() or sign == "\t" else f"\\u{ord(sign):04x}" for sign in line)
