"""The steps of a pipeline, each as soon as those that it depends on have ended.

Each step is a task made in the order of the definition, and so are the shards of a step: a replay meets the same
branches, whatever ended first. For the same reason a failure stops nothing that does not depend on it.
"""

import asyncio
from enum import Enum, auto
from typing import Any

from flows.pipelines.errors import TemplateRefused, TooManyShards
from flows.pipelines.execution.asking import ask_afterwards
from flows.pipelines.execution.failures import all_of_steps, fail, with_all_failed
from flows.pipelines.execution.reuse import copied
from flows.pipelines.execution.scene import Scene
from flows.pipelines.execution.shardwork import perform
from flows.pipelines.naming import result_name
from flows.pipelines.shards import Shard, shards_of
from flows.pipelines.spec import OnFailure, StepDef
from flows.pipelines.templates.rendering import evaluate
from runs.errors import StepFailed

MAX_SHARDS = 1000


class End(Enum):
    """What became of a step."""

    DONE = auto()
    CONDITION = auto()  # its `when` was false
    LEFT_OUT = auto()  # it failed and may be done without, or depends on one that did
    BLOCKED = auto()  # it failed the run, or depends on one that did


class Dag:
    """Drives the steps of one run."""

    def __init__(self, scene: Scene, reused: dict[str, Any]) -> None:
        self._scene = scene
        self._reused = reused
        self._ends: dict[str, End] = {}
        self._ended = {step.id: asyncio.Event() for step in scene.made.steps}
        self._failures: dict[str, BaseException] = {}

    async def run(self) -> dict[str, list[str]]:
        """Until every step has ended; the ids of those that were left out. Raises the first failure that counts."""
        steps = self._scene.made.steps
        outcomes = await asyncio.gather(*(self._until_ended(step) for step in steps), return_exceptions=True)
        raised = [one for one in outcomes if isinstance(one, BaseException)]
        for step in steps:
            if step.id in self._failures and self._ends[step.id] is End.BLOCKED:
                raised.append(self._failures[step.id])
        if raised:
            raise with_all_failed(raised)
        return {
            "skipped": [step.id for step in steps if self._ends[step.id] in (End.CONDITION, End.LEFT_OUT)],
            "failed": [step.id for step in steps if step.id in self._failures],
        }

    async def _until_ended(self, step: StepDef) -> None:
        for dependency in step.depends_on:
            await self._ended[dependency].wait()
        end = End.BLOCKED
        try:
            end = await self._end_of(step)
        finally:
            self._ends[step.id] = end
            self._ended[step.id].set()
        ended = len(self._ends)
        self._scene.step.progress(ended, len(self._ended), f"{step.title}: {end.name.lower().replace('_', ' ')}")

    async def _end_of(self, step: StepDef) -> End:
        before = [self._ends[one] for one in step.depends_on]
        if End.BLOCKED in before:
            return End.BLOCKED
        if step.id in self._reused:
            return await self._reuse(step)
        if End.LEFT_OUT in before or (before and all(end is End.CONDITION for end in before)):
            return await self._skip(step, "upstream", End.LEFT_OUT if End.LEFT_OUT in before else End.CONDITION)
        try:
            if not await self._is_wanted(step):
                return await self._skip(step, "condition", End.CONDITION)
            return await self._work(step)
        except StepFailed as exc:
            return self._failed(step, exc)

    async def _reuse(self, step: StepDef) -> End:
        found = await copied(self._scene, step, self._reused[step.id])
        self._scene.keep(step, await self._scene.step.skip(step.id, reason="reused", value=found["items"]))
        if found["answer"] is None:
            await ask_afterwards(self._scene, step)
        else:
            self._scene.answers[step.id] = found["answer"]
        return End.DONE

    async def _skip(self, step: StepDef, reason: str, end: End) -> End:
        await self._scene.step.skip(step.id, reason=reason, value=[])
        return end

    async def _is_wanted(self, step: StepDef) -> bool:
        if not step.when:
            return True
        values = self._scene.values_for(step, Shard(None, None, step.title))
        try:
            return bool(evaluate(step.when, values))
        except TemplateRefused as exc:
            await fail(self._scene, result_name(step.id, None), exc)
            raise

    async def _work(self, step: StepDef) -> End:
        scene = self._scene
        shards = shards_of(step, scene.sources, scene.given_to(step))
        if len(shards) > MAX_SHARDS:
            await fail(scene, result_name(step.id, None), TooManyShards(step.id, len(shards), MAX_SHARDS))
        if not shards:
            return await self._skip(step, "nothing to work on", End.DONE)
        outcomes = await asyncio.gather(*(perform(scene, step, shard) for shard in shards), return_exceptions=True)
        failures = [one for one in outcomes if isinstance(one, BaseException)]
        done = [one for one in outcomes if not isinstance(one, BaseException)]
        if failures and (not done or scene.made.policy_of(step) is OnFailure.FAIL or not all_of_steps(failures)):
            raise with_all_failed(failures)
        scene.keep(step, [item for items in done for item in items])
        await ask_afterwards(scene, step)
        return End.DONE

    def _failed(self, step: StepDef, exc: StepFailed) -> End:
        self._failures[step.id] = exc
        match self._scene.made.policy_of(step):
            case OnFailure.FAIL:
                return End.BLOCKED
            case OnFailure.SKIP:
                return End.LEFT_OUT
            case OnFailure.CONTINUE:
                return End.DONE
