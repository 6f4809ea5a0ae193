"""What a call used, on the attempt that made it: also on one that fails after it, is cancelled, or is killed."""

from collections.abc import Iterable

from flows.llm.prices import cost_of
from providers.replies import Usage
from runs.jobs import current_attempt

TOKENS = ("input_tokens", "output_tokens", "cached_tokens", "reasoning_tokens")


class Tally:
    """Tells the attempt what was used since it was last told; a later count of the vendor corrects an estimate.

    What was told before a checkpoint survives a killed worker.
    """

    def __init__(self, provider: str, model: str) -> None:
        self._provider, self._model = provider, model
        self._told = Usage()
        self._cost = 0.0

    def tell(self, usage: Usage, model: str = "") -> None:
        """`usage` is all of the call so far."""
        self._model = model or self._model
        figures: dict[str, object] = {"provider": self._provider, "model": self._model}
        for name in TOKENS:
            more = getattr(usage, name) - getattr(self._told, name)
            if more or name in ("input_tokens", "output_tokens"):
                figures[name] = more
        if (cost := cost_of(self._model, usage)) is not None:
            figures["cost"] = round(cost - self._cost, 10)
            self._cost = cost
        figures["counted_by"] = "estimate" if usage.is_estimated else "provider"
        self._told = usage
        current_attempt().usage(**figures)


def total(usages: Iterable[Usage]) -> Usage:
    """The sum; estimated if one of them is."""
    usages = list(usages)
    return Usage(
        **{name: sum(getattr(usage, name) for usage in usages) for name in TOKENS},
        is_estimated=any(usage.is_estimated for usage in usages),
    )
