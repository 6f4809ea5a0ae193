"""What attempts spend, in numbers that add up exactly: money is counted in billionths."""

import math
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

COST_UNIT = 10**9
_TOKENS = ("input_tokens", "output_tokens")
_MOST = 10**15
"""Of one attempt: what a job's code tells must not overflow the sums."""


class Spent(NamedTuple):
    """Tokens in and out, money in billionths, steps begun."""

    tokens: int = 0
    cost: int = 0
    steps: int = 0

    def plus(self, other: "Spent") -> "Spent":
        return Spent(self.tokens + other.tokens, self.cost + other.cost, self.steps + other.steps)

    def minus(self, other: "Spent") -> "Spent":
        return Spent(self.tokens - other.tokens, self.cost - other.cost, self.steps - other.steps)


NOTHING = Spent()


class Used(NamedTuple):
    """Attempts, tokens in, tokens out, money in billionths."""

    attempts: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost: int = 0

    def plus(self, other: "Used") -> "Used":
        return Used(*(one + more for one, more in zip(self, other, strict=True)))


def spent_of(usage: dict[str, Any] | None) -> Spent:
    """What an attempt with this usage spent, by `input_tokens`, `output_tokens` and `cost`; other figures are free."""
    used = used_of(usage)
    return Spent(used.input_tokens + used.output_tokens, used.cost)


def used_of(usage: dict[str, Any] | None) -> Used:
    """What one attempt with this usage used."""
    if not usage:
        return Used()
    tokens_in, tokens_out = (int(_number(usage.get(name))) for name in _TOKENS)
    return Used(1, tokens_in, tokens_out, round(_number(usage.get("cost")) * COST_UNIT))


def _number(value: Any) -> Decimal:
    """Money is told as a number, or as the text that a Decimal becomes; whatever else is nothing."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return Decimal(0)
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return Decimal(0)
    return min(number, Decimal(_MOST)) if math.isfinite(number) and number > 0 else Decimal(0)
