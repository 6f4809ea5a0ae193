"""Where in a run a talk stands, in the words of its job: an iteration of a flow, a step of a pipeline."""

from flows.agents import naming as flow_naming
from flows.pipelines import naming as pipeline_naming
from flows.pipelines.starting import JOB as PIPELINE
from runs.models import Run

_MODEL = "model"


def title_of(run: Run, chat: str) -> str:
    """What a talk is called: the step of a flow or pipeline, else the chat."""
    if run.job == flow_naming.JOB and (place := flow_naming.place_of(chat)) is not None:
        name = f"{place.step} / {place.sub}" if place.sub else place.step
        return f"{name}: {place.part}" if place.part else name
    if run.job == PIPELINE and (found := pipeline_naming.place_of(chat)) is not None and found.part == _MODEL:
        return found.step_id
    return chat


def place_of(run: Run, chat: str) -> str:
    """Its iteration or shard; empty where there is none."""
    if run.job == flow_naming.JOB and (place := flow_naming.place_of(chat)) is not None:
        return f"iteration {place.iteration}"
    found = pipeline_naming.place_of(chat) if run.job == PIPELINE else None
    return f"shard {found.index + 1}" if found is not None and found.index is not None else ""
