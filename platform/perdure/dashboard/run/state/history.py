"""How a run's state came to be: its patches, and the document as it was after any of them. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import jsonpatch

SAID = 3
"""Changed places that are named in a row."""
_VERBS = {"add": "set", "replace": "set", "remove": "removed", "move": "moved", "copy": "copied", "test": "tested"}


@dataclass(frozen=True)
class Change:
    """One `state:patch` event: `patch` is its RFC 6902 patch."""

    sequence: int
    at: datetime
    patch: list[dict[str, Any]]

    @property
    def said(self) -> str:
        """Which places it changed, in a few words."""
        places = [f"{_VERBS.get(one.get('op', ''), 'changed')} {_place(one)}" for one in self.patch]
        more = f" and {len(places) - SAID} more" if len(places) > SAID else ""
        return (", ".join(places[:SAID]) or "set to the same") + more


def document_after(changes: Iterable[Change]) -> dict[str, Any] | None:
    """The document after all of them, the first of which began with an empty one; None if they do not fit.

    They do not where the first of them are cleaned up.
    """
    document: dict[str, Any] = {}
    try:
        for change in changes:
            document = jsonpatch.apply_patch(document, change.patch, in_place=True)
    except (jsonpatch.JsonPatchException, jsonpatch.JsonPointerException):
        return None
    return document


def neighbours(changes: Sequence[Change], sequence: int) -> tuple[int | None, int | None]:
    """The sequences of the change before and of the one after."""
    numbers = [change.sequence for change in changes]
    place = numbers.index(sequence)
    before = numbers[place - 1] if place else None
    return before, numbers[place + 1] if place + 1 < len(numbers) else None


def _place(operation: dict[str, Any]) -> str:
    parts = str(operation.get("path", "")).strip("/").split("/")
    return ".".join(part.replace("~1", "/").replace("~0", "~") for part in parts) or "everything"
