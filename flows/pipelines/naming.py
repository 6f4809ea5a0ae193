"""How the engine's steps of a pipeline are called.

`<step id>` and `<step id>[<index>]` record result items. Whatever else belongs to a step begins with that name and a
colon: `draft[3]: model`, `draft: question`. A name with a space and no colon belongs to no step.
"""

import re
from dataclasses import dataclass

READ_DEFINITION = "read the definition"

_NAME = re.compile(r"(?P<step>[A-Za-z_][A-Za-z0-9_-]*)(\[(?P<index>\d+)\])?(: (?P<part>.+))?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Place:
    """Where an engine's step belongs; `part` is empty for the one that records the result."""

    step_id: str
    index: int | None
    part: str

    @property
    def is_result(self) -> bool:
        return not self.part


def result_name(step_id: str, index: int | None) -> str:
    """The engine's step that records the items of a step, or of its shard `index`."""
    return step_id if index is None else f"{step_id}[{index}]"


def part_name(step_id: str, index: int | None, part: str) -> str:
    """An engine's step that leads to the result: `model`, `question`, `copy`."""
    return f"{result_name(step_id, index)}: {part}"


def place_of(name: str) -> Place | None:
    """The place of an engine's step; None for one that belongs to no step of the pipeline."""
    found = _NAME.fullmatch(name)
    if found is None:
        return None
    index = found["index"]
    return Place(found["step"], None if index is None else int(index), found["part"] or "")
