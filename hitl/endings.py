"""What becomes of a question that nobody answers in time."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Deny:
    """As if it had been denied."""


@dataclass(frozen=True, slots=True)
class Approve:
    """As if it had been approved."""


@dataclass(frozen=True, slots=True)
class Fail:
    """`ask` raises QuestionExpired."""


@dataclass(frozen=True, slots=True)
class Value:
    """As if this value had been given."""

    value: Any


OnTimeout = Deny | Approve | Fail | Value


def as_outcome(ending: OnTimeout, decisions: tuple[str, ...]) -> dict[str, Any] | None:
    """The outcome that the ending stands for; None for Fail. Raises ValueError if the kind has no such decision."""
    if isinstance(ending, Fail):
        return None
    if isinstance(ending, Value):
        return {"decision": decisions[0], "value": ending.value}
    wanted = "deny" if isinstance(ending, Deny) else "approve"
    if wanted not in decisions:
        raise ValueError(wanted)
    return {"decision": wanted, "value": None}
