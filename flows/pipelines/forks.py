"""What a fork of a pipeline's run may not change: what people said, and whether they are asked."""

from collections.abc import Mapping, Set
from typing import Any

from flows.pipelines.naming import READ_DEFINITION, place_of, result_name

PLAN = "plan"
COPY = "copy"


def decides_about_people(kept: Mapping[str, Any], changed: Set[str]) -> bool:
    """`runs.jobs.guard_forks`: a plan says whether a tool's call needs approval, a copy what people said elsewhere.

    The definition says all of it, and was checked when it was stored: it is never changed.
    """
    return READ_DEFINITION in changed or any(_decides(name, output, kept, changed) for name, output in kept.items())


def _decides(name: str, output: Any, kept: Mapping[str, Any], changed: Set[str]) -> bool:
    place = place_of(name)
    if place is None or place.part not in (PLAN, COPY):
        return False
    if place.part == PLAN:
        return name in changed or result_name(place.step_id, place.index) not in kept
    return name in changed or (isinstance(output, dict) and output.get("answer") is not None)
