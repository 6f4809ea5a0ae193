"""Into which shards a step falls: a pure function, so that a replay and every reader of a log find the same."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flows.pipelines.spec import Mode, StepDef


@dataclass(frozen=True, slots=True)
class Shard:
    """One unit of a step's work. A single step is one shard without index and key."""

    index: int | None
    key: str | None
    label: str
    source: Any = None
    """The source of a fan-out's shard, as it was given."""
    item: dict[str, Any] | None = None
    """The item that a shard of `per_item` works on."""


def shards_of(step: StepDef, sources: Sequence[Any], items: Mapping[str, Sequence[dict[str, Any]]]) -> list[Shard]:
    """The shards of a step in order; `items` holds the result items of each step it depends on.

    Without sources a fan-out is one single shard. A step per item has none where its dependencies gave none.
    """
    if step.mode is Mode.PER_ITEM:
        given = [item for dependency in step.depends_on for item in items.get(dependency, ())]
        return [_of_item(step, index, item) for index, item in enumerate(given)]
    if step.mode is Mode.FANOUT and sources:
        return [
            Shard(index, f"{step.id}-{index}", f"{step.title}#{index + 1}", source=source)
            for index, source in enumerate(sources)
        ]
    return [Shard(None, None, step.title)]


def _of_item(step: StepDef, index: int, item: dict[str, Any]) -> Shard:
    key = item.get("shard_key") or f"{step.id}-{index}"
    return Shard(index, key, f"{step.title}#{index + 1}", item=item)
