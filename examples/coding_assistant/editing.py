"""Proposed edits put on a file's text, in memory, and the unified diff of it."""

import difflib
from collections.abc import Iterator, Sequence

from examples.code_review.diff import lines_of
from examples.coding_assistant.schema import Edit

CONTEXT = 3


class EditMisfit(Exception):
    """Says for the model to read which edit does not fit."""


def edited(text: str, edits: Sequence[Edit]) -> str:
    """Raises EditMisfit for an edit whose place is not there, is there twice, or overlaps another's."""
    found = ((_place(text, number, edit), edit) for number, edit in enumerate(edits, 1))
    places = sorted(found, key=lambda one: one[0])
    end, parts = 0, list[str]()
    for start, edit in places:
        if start < end:
            raise EditMisfit(f"two of them change the same place, {edit.find[:80]!r}")
        parts += text[end:start], edit.replace
        end = start + len(edit.find)
    return "".join([*parts, text[end:]])


def unified_diff(path: str, before: str, after: str) -> str:
    """As `git diff` writes it; empty where nothing changed."""
    return "".join(_ended(difflib.unified_diff(lines_of(before), lines_of(after), f"a/{path}", f"b/{path}", n=CONTEXT)))


def hunks_of(diff: str) -> list[str]:
    """The head of the diff with its first hunk, then a hunk each."""
    parts: list[str] = []
    for line in lines_of(diff):
        if not parts or (line.startswith("@@") and "\n@@" in f"\n{parts[-1]}"):
            parts.append(line)
        else:
            parts[-1] += line
    return parts


def _place(text: str, number: int, edit: Edit) -> int:
    count = text.count(edit.find)
    if count != 1:
        raise EditMisfit(f"what edit {number} finds is in the file {count} times: {edit.find[:200]!r}")
    return text.index(edit.find)


def _ended(lines: Iterator[str]) -> Iterator[str]:
    for line in lines:
        yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
