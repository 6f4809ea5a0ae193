"""All versions of a flow: those that can be started, and what runs are still pinned to."""

from flows.agents import files
from flows.agents.catalogue import versions
from flows.agents.loader import as_document, digest_of
from flows.agents.models import FlowDefinition
from flows.agents.spec import Flow
from flows.documents.versions import Documents

known_versions = Documents(
    startable=versions,
    rows=lambda name: FlowDefinition.objects.filter(name=name),
    text_in_file=lambda made: files.loaded().texts.get((made.name, made.version)),
    as_document=as_document,
    digest_of=digest_of,
    read=Flow.model_validate,
).known
