"""All versions of a pipeline: those that can be started, and what runs are still pinned to."""

from collections.abc import Iterable, Iterator

from flows.documents.versions import KnownVersion, newest_first
from flows.pipelines import files
from flows.pipelines.catalogue import versions
from flows.pipelines.loader import as_document, digest_of
from flows.pipelines.models import Origin, PipelineDefinition
from flows.pipelines.spec import PipelineDef

MOST = 100
"""Of those that only runs hold."""


def known_versions(type_: str) -> list[KnownVersion]:
    """Those that can be started, the newest first, then the others. Empty for a type that nobody knows."""
    storable = str(type_)[:100].replace("\0", "?")  # PostgreSQL takes no NUL
    rows = PipelineDefinition.objects.filter(type=storable).select_related("creator").order_by("-id")
    stored = {row.digest: row for row in rows.filter(origin=Origin.STORED)}
    current = (_current(made, stored) for made in versions(type_))
    return newest_first(current, _pinned(rows.filter(origin=Origin.FILE)[:MOST]))


def _current(made: PipelineDef, stored: dict[str, PipelineDefinition]) -> KnownVersion:
    digest, document = digest_of(made), as_document(made)
    text = files.loaded().texts.get((made.type, made.version))
    row = stored.get(digest)
    if text is not None or row is None:
        return KnownVersion(made.version, digest, "file", text, document, made)
    creator = row.creator.get_username() if row.creator else ""
    return KnownVersion(made.version, digest, "stored", row.source, document, made, row.created_at, creator)


def _pinned(rows: Iterable[PipelineDefinition]) -> Iterator[KnownVersion]:
    for row in rows:
        made = PipelineDef.model_validate(row.document)
        yield KnownVersion(row.version, row.digest, "pinned", None, row.document, made, row.created_at)
