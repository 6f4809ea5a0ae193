"""What a fork may not change: the plan of calls that are still to be made, and what it was made for."""

import re
from collections.abc import Mapping, Set
from typing import Any

_PLAN = re.compile(r"(?P<chat>.+): calls#(?P<turn>\d+)")


def decides_about_calls(kept: Mapping[str, Any], changed: Set[str]) -> bool:
    """`runs.jobs.guard_forks`: with another plan, or another call under the old one, nobody would be asked."""
    plans = [(found, kept[name]) for name in kept if (found := _PLAN.fullmatch(name))]
    return any(found[0] in changed or _is_open(found["chat"], found["turn"], plan, kept) for found, plan in plans)


def _is_open(chat: str, turn: str, plan: Any, kept: Mapping[str, Any]) -> bool:
    """Whether a call of the plan is not recorded yet. A refused one never is, nor one of the client."""
    for number, planned in enumerate(plan if isinstance(plan, list) else (), start=1):
        made = re.compile(rf"{re.escape(chat)}: [A-Za-z0-9_-]+#{turn}\.{number}")
        is_never_made = isinstance(planned, dict) and (planned.get("problem") or planned.get("by_client"))
        if not is_never_made and not any(map(made.fullmatch, kept)):
            return True
    return False
