"""All versions of a flow: those that can be started, and what runs are still pinned to."""

from collections.abc import Iterable, Iterator

from flows.agents import files
from flows.agents.catalogue import versions
from flows.agents.loader import as_document, digest_of
from flows.agents.models import FlowDefinition, Origin
from flows.agents.spec import Flow
from flows.documents.versions import KnownVersion, newest_first

MOST = 100
"""Of those that only runs hold."""


def known_versions(name: str) -> list[KnownVersion]:
    """Those that can be started, the newest first, then the others. Empty for a name that nobody knows."""
    storable = str(name)[:100].replace("\0", "?")  # PostgreSQL takes no NUL
    rows = FlowDefinition.objects.filter(name=storable).select_related("creator").order_by("-id")
    stored = {row.digest: row for row in rows.filter(origin=Origin.STORED)}
    current = (_current(made, stored) for made in versions(name))
    return newest_first(current, _pinned(rows.filter(origin=Origin.FILE)[:MOST]))


def _current(made: Flow, stored: dict[str, FlowDefinition]) -> KnownVersion:
    digest, document = digest_of(made), as_document(made)
    text = files.loaded().texts.get((made.name, made.version))
    row = stored.get(digest)
    if text is not None or row is None:
        return KnownVersion(made.version, digest, "file", text, document, made)
    creator = row.creator.get_username() if row.creator else ""
    return KnownVersion(made.version, digest, "stored", row.source, document, made, row.created_at, creator)


def _pinned(rows: Iterable[FlowDefinition]) -> Iterator[KnownVersion]:
    for row in rows:
        made = Flow.model_validate(row.document)
        yield KnownVersion(row.version, row.digest, "pinned", None, row.document, made, row.created_at)
