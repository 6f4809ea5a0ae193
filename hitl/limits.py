"""What a question about a budget asks for, and what its answer does. The engine parks runs; people grant more."""

import math
from typing import Any

from hitl.models import Question
from runs.budgets import LimitReached
from runs.jobs import Actor, settle_budget

_UNITS = {"tokens": "tokens", "cost": "of money", "steps": "steps", "active_seconds": "seconds of work"}
_NOUNS = {"cost": "money", "active_seconds": "seconds of work"}
_WHOLE = ("tokens", "steps")


def title_of(reached: LimitReached) -> str:
    return f"Grant more {_NOUNS.get(reached.name, reached.name)}?"


def body_of(reached: LimitReached) -> str:
    """Markdown."""
    spent, hard = reached.spent[reached.name], reached.limits[reached.name]
    return (
        f"Job `{reached.by}` has spent **{shown(spent)} of {shown(hard)} {_UNITS[reached.name]}**, together with its "
        "children, and waits. Approve to add to the limit, and it goes on where it is; deny, and it fails."
    )


def context_of(reached: LimitReached) -> dict[str, Any]:
    rows = [
        {"limit": _NOUNS.get(name, name), "spent": shown(reached.spent[name]), "allowed": shown(hard)}
        for name, hard in reached.limits.items()
    ]
    return {"budget": rows}


def schema_of(reached: LimitReached) -> dict[str, Any]:
    """JSON Schema of what is added: the limit that was reached needs some, and offers as much again as at the start."""
    return {
        "type": "object", "properties": {name: _property(reached, name) for name in reached.limits},
        "required": [reached.name], "additionalProperties": False,
    }  # fmt: skip


def _property(reached: LimitReached, name: str) -> dict[str, Any]:
    kind = "integer" if name in _WHOLE else "number"
    about: dict[str, Any] = {"title": f"Add {_NOUNS.get(name, name)}", "type": kind, "minimum": 0}
    if name != reached.name:
        return about | {"description": "Leave it empty to keep the limit."}
    missing = max(0.0, reached.spent[name] - reached.limits[name])
    offered = missing + (reached.started_with[name] or 1)
    if kind == "integer":
        return about | {"minimum": 1, "default": math.ceil(offered)}
    return about | {"minimum": 0.000001, "default": round(offered, 6)}


def decided(question: Question, actor: Actor) -> None:
    """The answer of a question about a budget, or its withdrawal, which denies. In the transaction that closes it."""
    if question.budget_of is None:
        return
    outcome, schema = question.outcome or {}, question.schema or {}
    limit = schema["required"][0]
    amounts = None
    if outcome.get("decision") == "approve":
        amounts = {limit: schema["properties"][limit]["default"]} | (outcome.get("value") or {})
    settle_budget(question.budget_of, limit, amounts, actor=actor)


def shown(amount: float) -> str:
    """1,234.5, without noughts at its end."""
    return f"{amount:,.6f}".rstrip("0").rstrip(".")
