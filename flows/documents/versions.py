"""The versions of a definition that this installation knows of, as pages tell them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

From = Literal["file", "stored", "pinned"]


@dataclass(frozen=True, slots=True)
class KnownVersion:
    """One document under its version.

    `origin`: it stands in a `file` of an app, was `stored` by people, or is only `pinned` by the runs that were started
    from a file which says something else by now. `text` is as people wrote it, None where only the `document` is left.
    """

    version: str
    digest: str
    origin: From
    text: str | None
    document: dict[str, Any]
    made: Any
    created_at: datetime | None = None
    creator: str = ""

    @property
    def can_start(self) -> bool:
        return self.origin != "pinned"


def newest_first(current: Iterable[KnownVersion], pinned: Iterable[KnownVersion]) -> list[KnownVersion]:
    """Those that can be started, the newest first; then what only runs hold, the latest first."""
    known = list(current)[::-1]
    digests = {one.digest for one in known}
    return [*known, *(one for one in pinned if one.digest not in digests)]
