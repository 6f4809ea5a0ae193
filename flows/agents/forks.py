"""What a fork of a flow's run may not change: the definition, what people decided, or an agent for them, and judges."""

from collections.abc import Mapping, Set
from typing import Any

from flows.agents.naming import (
    ABORT,
    AGENT_ANSWER,
    BLOCKED,
    LIMIT,
    READ_DEFINITION,
    SAID,
    USER_INPUT,
    WORKSPACE,
    place_of,
)

_OF_PEOPLE = (BLOCKED, LIMIT, USER_INPUT, AGENT_ANSWER, SAID, ABORT, "asks")


def decides_about_people(kept: Mapping[str, Any], changed: Set[str]) -> bool:
    """`runs.jobs.guard_forks`: none of these is changed, and every other result may be."""
    return any(_is_decided(name) for name in changed)


def _is_decided(name: str) -> bool:
    if name in (READ_DEFINITION, WORKSPACE):
        return True
    place = place_of(name)
    if place is None:
        return False
    word = place.part.partition(" again #")[0].partition(" #")[0].partition(":")[0]
    return place.is_judge or word in _OF_PEOPLE
