"""Stored definitions: each version is written once and stays what it is."""

from typing import Any

from django.db import IntegrityError, transaction

from flows import documents
from flows.pipelines import files, validation
from flows.pipelines.errors import PipelineExists, PipelineNotFound
from flows.pipelines.loader import as_document, digest_of, load
from flows.pipelines.models import Origin, PipelineDefinition
from flows.pipelines.spec import PipelineDef
from runs import clock
from runs.jobs import SYSTEM, Actor, audit


def store(document: dict[str, Any] | str, *, creator: Any = None, actor: Actor = SYSTEM) -> PipelineDefinition:
    """Store a version of a pipeline: YAML or JSON text, or the value itself.

    The same document again gives the row that is there. Raises InvalidPipeline; PipelineExists for another document
    under a version that is there, and for a type that an app's file has.
    """
    text = document if isinstance(document, str) else documents.write(document)
    made = read(text)
    check_free(made)
    digest = digest_of(made)
    try:
        with transaction.atomic():
            row, is_new = PipelineDefinition.objects.get_or_create(
                digest=digest, defaults=_values(made, text, Origin.STORED) | {"creator": creator}
            )
            if not is_new and row.origin != Origin.STORED:
                row.origin = Origin.STORED  # runs of a file that is gone now had pinned it
                row.save(update_fields=["origin"])
            audit(actor, "pipeline.store", f"{made.type} {made.version}", {"digest": digest})
    except IntegrityError as exc:
        raise PipelineExists(made.type, made.version, "another document has this version") from exc
    return row


def read(text: str) -> PipelineDef:
    """A definition as people may store it. Raises InvalidPipeline."""
    return load(text, further=(validation.problems_of_stored, validation.unknown_providers))


def check_free(made: PipelineDef) -> None:
    """Raises PipelineExists unless this document may be stored under its type and version."""
    if any(one.type == made.type for one in files.loaded().definitions):
        raise PipelineExists(made.type, made.version, "an app brings this type as a file; choose another type")
    same = PipelineDefinition.objects.filter(type=made.type, version=made.version, origin=Origin.STORED)
    if same.exclude(digest=digest_of(made)).exists():
        raise PipelineExists(made.type, made.version, "another document has this version")


def pin(made: PipelineDef) -> str:
    """Keep the definition that a run is started with; its digest."""
    digest = digest_of(made)
    if not PipelineDefinition.objects.filter(digest=digest).exists():
        values = _values(made, documents.write(as_document(made)), Origin.FILE)
        PipelineDefinition.objects.bulk_create([PipelineDefinition(digest=digest, **values)], ignore_conflicts=True)
    return digest


def pinned(digest: str) -> dict[str, Any]:
    """The document of a definition. Raises PipelineNotFound."""
    document: dict[str, Any] | None = (
        PipelineDefinition.objects.filter(digest=digest).values_list("document", flat=True).first()
    )
    if document is None:
        raise PipelineNotFound(digest)
    return document


def _values(made: PipelineDef, text: str, origin: Origin) -> dict[str, Any]:
    return {
        "type": made.type, "version": made.version, "document": as_document(made), "source": text, "origin": origin,
        "created_at": clock.now(),
    }  # fmt: skip
