"""The one job of all pipelines."""

import asyncio
from typing import Any

from flows.pipelines import catalogue, stored
from flows.pipelines.execution import reuse
from flows.pipelines.execution.dag import Dag
from flows.pipelines.execution.scene import Scene
from flows.pipelines.naming import READ_DEFINITION
from flows.pipelines.run_input import RunInput
from flows.pipelines.spec import PipelineDef
from flows.pipelines.starting import budget_of
from runs.jobs import StepContext, job


@job("pipeline", budget_of=budget_of)
async def pipeline(step: StepContext, wanted: RunInput) -> dict[str, Any]:
    """Run a pipeline: steps written in YAML or JSON that ask models, call tools and work in parallel."""
    document = await step.run(READ_DEFINITION, read_definition, wanted.pipeline, wanted.version, wanted.definition)
    made = PipelineDef.model_validate(document)
    given = wanted.input.model_dump(mode="json", exclude_none=True)
    scene = Scene(step, made, given["sources"], given["options"], asyncio.Semaphore(made.parallel))
    scene.rerun_of = wanted.rerun.of if wanted.rerun else None
    left_out = await Dag(scene, await reuse.find(step, made, wanted.rerun)).run()
    items = [item for one in made.steps if made.exports(one) for item in scene.items.get(one.id, [])]
    meta = {"pipeline": made.type, "version": made.version, "definition": wanted.definition} | left_out
    return {"items": items, "meta": meta}


def read_definition(type_: str, version: str, digest: str) -> dict[str, Any]:
    """The document that the run is pinned to; a run that was started without a digest takes the newest now."""
    if digest:
        return stored.pinned(digest)
    made = catalogue.find(type_, version or None)
    return stored.pinned(stored.pin(made))
