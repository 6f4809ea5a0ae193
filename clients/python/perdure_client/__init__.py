"""Start, watch and steer durable runs of a Perdure server."""

from perdure_client.aio import AsyncPerdureClient
from perdure_client.errors import (
    Conflict,
    ConnectionLost,
    Gone,
    NotAllowed,
    NotFound,
    NotSignedIn,
    PerdureError,
)
from perdure_client.models import Artifact, Event, Job, Pipeline, PipelineJob, Question, Run, Signal, Step, StreamLine
from perdure_client.sync import PerdureClient

__all__ = [
    "Artifact",
    "AsyncPerdureClient",
    "Conflict",
    "ConnectionLost",
    "Event",
    "Gone",
    "Job",
    "NotAllowed",
    "NotFound",
    "NotSignedIn",
    "PerdureClient",
    "PerdureError",
    "Pipeline",
    "PipelineJob",
    "Question",
    "Run",
    "Signal",
    "Step",
    "StreamLine",
]
