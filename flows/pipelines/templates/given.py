"""What the templates of one shard may refer to: of a run under way, and of one that is only read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flows.pipelines.shards import Shard
from flows.pipelines.spec import OutputType, PipelineDef, StepDef
from flows.pipelines.templates.values import TextData

_TEXTS = (OutputType.TEXT.value, OutputType.MARKDOWN.value)


@dataclass(frozen=True, slots=True)
class Given:
    """What a run was given, and what its steps have given so far: items as `readable` has them, by step id."""

    run_id: str
    made: PipelineDef
    sources: Sequence[Any]
    options: Mapping[str, Any]
    items: Mapping[str, Sequence[dict[str, Any]]]
    answers: Mapping[str, Any]

    def values_for(self, step: StepDef, shard: Shard) -> dict[str, Any]:
        """By the names that `rendering.NAMES` lists."""
        return {
            "job": {
                "id": self.run_id, "pipeline": self.made.type, "version": self.made.version, "title": self.made.title,
            },
            "step": {
                "id": step.id, "name": step.title, "kind": step.kind.value, "label": shard.label, "config": step.config,
            },
            "sources": self.sources,
            "options": self.options,
            "previous": {one: self.items.get(one, []) for one in step.depends_on},
            "answers": {one: self.answers[one] for one in step.depends_on if one in self.answers},
            "source": shard.source,
            "item": None if shard.item is None else readable(shard.item),
            "index": shard.index if shard.index is not None else 0,
        }  # fmt: skip


def readable(item: dict[str, Any]) -> dict[str, Any]:
    """An item whose data prints as its text. A fork may have put anything in its place, a mask a text."""
    is_text = item.get("kind") in _TEXTS and isinstance(item.get("data"), dict)
    return item | {"data": TextData(item["data"])} if is_text else item
