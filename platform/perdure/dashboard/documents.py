"""Jobs that carry out a document: people know their runs by its name, not by the job's."""

from typing import Any

from flows.agents.naming import JOB as FLOW
from flows.pipelines.starting import JOB as PIPELINE

KINDS = {FLOW: "flow", PIPELINE: "pipeline"}
"""What the documents of a job are called; the input's field that names one, and the page's, are called so too."""


def document_of(job: str, given: Any) -> str:
    """The name of the flow or pipeline that this input asks for; empty for another job."""
    kind = KINDS.get(job)
    name = given.get(kind) if kind and isinstance(given, dict) else None
    return name if isinstance(name, str) else ""
