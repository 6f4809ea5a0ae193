"""All that the steps of one run share."""

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from flows.pipelines.shards import Shard
from flows.pipelines.spec import OutputType, PipelineDef, StepDef
from flows.pipelines.templates.values import TextData
from runs.jobs import StepContext

_TEXTS = (OutputType.TEXT.value, OutputType.MARKDOWN.value)


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
        self._readable[step.id] = [_readable(item) for item in items]

    def timeout_of(self, step: StepDef) -> timedelta | None:
        return None if step.timeout_seconds is None else timedelta(seconds=step.timeout_seconds)

    def given_to(self, step: StepDef) -> dict[str, list[dict[str, Any]]]:
        """The items of the steps that it depends on. Nothing else: what has ended by chance must not be seen."""
        return {one: self.items.get(one, []) for one in step.depends_on}

    def values_for(self, step: StepDef, shard: Shard) -> dict[str, Any]:
        """What the templates of a shard may refer to."""
        return {
            "job": {
                "id": str(self.step.run_id), "pipeline": self.made.type, "version": self.made.version,
                "title": self.made.title,
            },
            "step": {
                "id": step.id, "name": step.title, "kind": step.kind.value, "label": shard.label, "config": step.config,
            },
            "sources": self.sources,
            "options": self.options,
            "previous": {one: self._readable.get(one, []) for one in step.depends_on},
            "answers": {one: self.answers[one] for one in step.depends_on if one in self.answers},
            "source": shard.source,
            "item": None if shard.item is None else _readable(shard.item),
            "index": shard.index if shard.index is not None else 0,
        }  # fmt: skip


def _readable(item: dict[str, Any]) -> dict[str, Any]:
    return item | {"data": TextData(item["data"])} if item["kind"] in _TEXTS else item
