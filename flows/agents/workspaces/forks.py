"""What a fork of an agent flow's run may not change: the folder that its agents work in."""

from collections.abc import Mapping, Set
from typing import Any

from flows.agents.naming import WORKSPACE


def chooses_workspace(kept: Mapping[str, Any], changed: Set[str]) -> bool:
    """`runs.jobs.guard_forks`: the folder was checked when the run began, and is not checked again."""
    return WORKSPACE in changed
