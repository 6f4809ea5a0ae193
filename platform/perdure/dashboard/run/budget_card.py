"""The budget of a run as its page shows it."""

from dataclasses import dataclass
from typing import Any

from hitl.limits import shown
from runs.jobs import budget_state, visible_runs
from runs.models import Run

_NAMES = {"tokens": "Tokens", "cost": "Money", "steps": "Steps", "active_seconds": "Seconds of work"}


@dataclass(frozen=True)
class Line:
    """One limit: what is spent of how much; `share` is from 0 to 1."""

    name: str
    spent: str
    hard: str
    share: float
    granted: str
    state: str


@dataclass(frozen=True)
class BudgetCard:
    """`owner` is the ancestor whose budget it is, where that is not the run itself and the reader may see it."""

    lines: list[Line]
    owner: Run | None
    is_shared: bool


def read_budget(user: Any, run: Run) -> BudgetCard | None:
    """None for a run without one."""
    state = budget_state(run)
    if state is None:
        return None
    lines = [
        Line(
            name=_NAMES[name], spent=shown(state.spent[name]), hard=shown(limit.hard),
            share=min(1.0, state.spent[name] / limit.hard) if limit.hard else 1.0,
            granted=shown(state.granted[name]) if state.granted.get(name) else "",
            state=_state(state.spent[name], limit.soft, limit.hard),
        )
        for name, limit in state.limits.items()
    ]  # fmt: skip
    shared = state.budget_of != run.id
    owner = visible_runs(user).filter(id=state.budget_of).first() if shared else None
    return BudgetCard(lines, owner, shared)


def _state(spent: float, soft: float, hard: float) -> str:
    if spent >= hard:
        return "spent"
    return "nearly" if spent >= soft else "open"
