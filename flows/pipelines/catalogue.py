"""All definitions that runs can be started from: the apps' files and the stored ones."""

import difflib

from flows.documents import folders
from flows.pipelines import files
from flows.pipelines.errors import PipelineNotFound
from flows.pipelines.models import Origin, PipelineDefinition
from flows.pipelines.spec import PipelineDef


def all_pipelines() -> list[PipelineDef]:
    """Each type in its newest version, by type."""
    newest: dict[str, PipelineDef] = {}
    for row in PipelineDefinition.objects.filter(origin=Origin.STORED).order_by("id"):
        newest[row.type] = _made(row)
    for made in _of_files():
        newest[made.type] = made
    return sorted(newest.values(), key=lambda made: made.type)


def versions(type_: str) -> list[PipelineDef]:
    """The versions of a type, the newest last: of files by number, of stored ones by the time of storing."""
    of_files = [made for made in _of_files() if made.type == type_]
    if of_files:
        return of_files
    storable = str(type_)[:100].replace("\0", "?")  # PostgreSQL takes no NUL
    rows = PipelineDefinition.objects.filter(type=storable, origin=Origin.STORED).order_by("id")
    return [_made(row) for row in rows]


def find(type_: str, version: str | None = None) -> PipelineDef:
    """The definition; without a version the newest. Raises PipelineNotFound."""
    known = versions(type_)
    if not known:
        near = difflib.get_close_matches(str(type_), [made.type for made in all_pipelines()], n=1)
        raise PipelineNotFound(type_, None, near[0] if near else "")
    if version is None:
        return known[-1]
    for made in known:
        if made.version == version:
            return made
    raise PipelineNotFound(type_, version, known[-1].version)


def _of_files() -> list[PipelineDef]:
    return sorted(files.loaded().definitions, key=lambda made: (made.type, folders.version_key(made.version)))


def _made(row: PipelineDefinition) -> PipelineDef:
    return PipelineDef.model_validate(row.document)
