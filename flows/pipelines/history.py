"""All versions of a pipeline: those that can be started, and what runs are still pinned to."""

from flows.documents.versions import Documents
from flows.pipelines import files
from flows.pipelines.catalogue import versions
from flows.pipelines.loader import as_document, digest_of
from flows.pipelines.models import PipelineDefinition
from flows.pipelines.spec import PipelineDef

known_versions = Documents(
    startable=versions,
    rows=lambda type_: PipelineDefinition.objects.filter(type=type_),
    text_in_file=lambda made: files.loaded().texts.get((made.type, made.version)),
    as_document=as_document,
    digest_of=digest_of,
    read=PipelineDef.model_validate,
).known
