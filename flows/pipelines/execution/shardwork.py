"""One shard of a step: by its kind, under its policy."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from flows.pipelines.execution import computed
from flows.pipelines.execution.failures import fail
from flows.pipelines.execution.scene import Scene
from flows.pipelines.naming import result_name
from flows.pipelines.results import items_of
from flows.pipelines.shards import Shard
from flows.pipelines.spec import StepDef, StepKind
from runs.errors import RunsError
from runs.jobs import StepContext

_COMPUTED: dict[StepKind, Callable[[Scene, StepDef, Shard], Callable[[], Any]]] = {
    StepKind.MAP: computed.mapped,
    StepKind.REDUCE: computed.reduced,
    StepKind.CUSTOM: computed.custom,
}


async def perform(scene: Scene, step: StepDef, shard: Shard) -> list[dict[str, Any]]:
    """The items of a shard, recorded. Raises StepFailed."""
    name = result_name(step.id, shard.index)
    async with scene.places:
        try:
            compute = _COMPUTED[step.kind](scene, step, shard)
        except RunsError as exc:
            return items_of(await fail(scene, name, exc))
        return items_of(await policy(scene, step).run(name, compute))


def policy(scene: Scene, step: StepDef) -> StepContext:
    """The run's steps with the retries and the timeout that the step asks for."""
    timeout = None if step.timeout_seconds is None else timedelta(seconds=step.timeout_seconds)
    return scene.step.options(retries=step.retries, timeout=timeout)
