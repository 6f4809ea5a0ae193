"""A step as the job's code calls it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, NamedTuple

from runs.definitions import Retry


@dataclass(frozen=True, slots=True)
class Policy:
    """How a step's attempts are limited."""

    retries: Retry
    timeout: timedelta | None = None


class StepCall(NamedTuple):
    """One call of a step as the kernel performs it."""

    name: str
    kind: str
    function: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    policy: Policy

    @classmethod
    def of_wait(cls, name: str, kind: str) -> "StepCall":
        """A step without a function."""
        return cls(name, kind, lambda: None, (), {}, Policy(Retry()))
