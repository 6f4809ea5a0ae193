"""What a run of the job `pipeline` is started with."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

MAX_SOURCES = 1000


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Source(_Part):
    """One thing to work on."""

    kind: Literal["log", "code", "note", "raw"] = "raw"
    label: Annotated[str, Field(max_length=500)] = ""
    content: Annotated[str, Field(json_schema_extra={"contentMediaType": "text/*"})] = ""
    metadata: dict[str, Any] | None = None


class PipelineInput(_Part):
    """Sources and options. An option max_tokens limits each model call."""

    model_config = ConfigDict(title="Input")

    sources: Annotated[list[Source], Field(max_length=MAX_SOURCES)] = []
    options: dict[str, Any] = {}


class Rerun(_Part):
    """Of which run this is another one; with reuse_upstream what came before from_step is taken over."""

    of: UUID
    from_step: str | None = None
    reuse_upstream: bool = False


class RunInput(_Part):
    """The input of a run; `definition` is the digest of the definition that the run is pinned to.

    Without it the run takes the newest definition of the version, or of all versions, when it begins.
    """

    pipeline: Annotated[
        str, Field(max_length=64, title="Pipeline", description="Its type, such as summarise or triage.")
    ]
    version: Annotated[str, Field(max_length=64, title="Version", description="Empty: the newest.")] = ""
    definition: Annotated[str, Field(max_length=64, title="Digest", description="Pins one definition.")] = ""
    input: PipelineInput = PipelineInput()
    mode: Literal["async", "sync", "rerun"] = "async"
    rerun: Rerun | None = None
