"""The versions of a definition that this installation knows of, as pages tell them."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from django.db.models import QuerySet

From = Literal["file", "stored", "pinned"]

MOST = 100
"""Of those that only runs hold."""


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


@dataclass(frozen=True, slots=True)
class Documents:
    """What one kind of document does in its own way; `known` is the same for all kinds."""

    startable: Callable[[str], Iterable[Any]]
    """Those of a name that can be started, the oldest first."""
    rows: Callable[[str], QuerySet[Any]]
    """What is stored under a name: by people (`stored`), or pinned by runs (`file`)."""
    text_in_file: Callable[[Any], str | None]
    as_document: Callable[[Any], dict[str, Any]]
    digest_of: Callable[[Any], str]
    read: Callable[[Any], Any]
    """The definition that a row's document says."""

    def known(self, name: str) -> list[KnownVersion]:
        """Those that can be started, the newest first; then what only runs hold, the latest first. Empty for a name
        that nobody knows."""
        storable = str(name)[:100].replace("\0", "?")  # PostgreSQL takes no NUL
        rows = self.rows(storable).select_related("creator").order_by("-id")
        stored = {row.digest: row for row in rows.filter(origin="stored")}
        current = [self._current(made, stored) for made in self.startable(name)][::-1]
        digests = {one.digest for one in current}
        pinned = (self._pinned(row) for row in rows.filter(origin="file")[:MOST])
        return [*current, *(one for one in pinned if one.digest not in digests)]

    def _current(self, made: Any, stored: Mapping[str, Any]) -> KnownVersion:
        digest, document, text = self.digest_of(made), self.as_document(made), self.text_in_file(made)
        row = stored.get(digest)
        if text is not None or row is None:
            return KnownVersion(made.version, digest, "file", text, document, made)
        creator = row.creator.get_username() if row.creator else ""
        return KnownVersion(made.version, digest, "stored", row.source, document, made, row.created_at, creator)

    def _pinned(self, row: Any) -> KnownVersion:
        made = self.read(row.document)
        return KnownVersion(row.version, row.digest, "pinned", None, row.document, made, row.created_at)
