"""All that the steps of one run share."""

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from flows.pipelines.shards import Shard
from flows.pipelines.spec import PipelineDef, StepDef
from flows.pipelines.templates.given import Given, readable
from runs.jobs import StepContext


@dataclass
class Scene:
    """One run: what it was given, and what its steps have given so far."""

    step: StepContext
    made: PipelineDef
    sources: list[dict[str, Any]]
    options: dict[str, Any]
    places: asyncio.Semaphore
    """At most `parallel` shards are under way at once."""
    items: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    answers: dict[str, Any] = field(default_factory=dict)
    rerun_of: UUID | None = None
    _readable: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def keep(self, step: StepDef, items: list[dict[str, Any]]) -> None:
        """What a step has given."""
        self.items[step.id] = items
        self._readable[step.id] = [readable(item) for item in items]

    def timeout_of(self, step: StepDef) -> timedelta | None:
        return None if step.timeout_seconds is None else timedelta(seconds=step.timeout_seconds)

    def given_to(self, step: StepDef) -> dict[str, list[dict[str, Any]]]:
        """The items of the steps that it depends on. Nothing else: what has ended by chance must not be seen."""
        return {one: self.items.get(one, []) for one in step.depends_on}

    def values_for(self, step: StepDef, shard: Shard) -> dict[str, Any]:
        """What the templates of a shard may refer to."""
        given = Given(
            str(self.step.run_id), self.made, self.sources, self.options, self._readable, self.answers
        )  # fmt: skip
        return given.values_for(step, shard)
