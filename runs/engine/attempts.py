"""What a step function can know and say of the attempt that it is."""

import contextvars
from typing import Any

from runs.engine.payload import encode


class CurrentAttempt:
    """One invocation of a step's function, seen from inside."""

    def __init__(self, step: str, number: int) -> None:
        self.step = step
        self.number = number
        self._is_stopped = False
        self._usage: dict[str, Any] = {}

    @property
    def cancelled(self) -> bool:
        """True once the run is cancelled, lost or timed out: a sync step returns or raises as soon as it sees it."""
        return self._is_stopped

    def stop(self) -> None:
        self._is_stopped = True

    def usage(self, **figures: Any) -> None:
        """Add what this attempt used: `provider`, `model`, `input_tokens`, `output_tokens`, `cost`.

        Numbers of one name are summed over calls, other values replaced. Kept however the attempt ends; of one whose
        worker dies what was told before its last checkpoint. Raises StorageError for what is no JSON.
        """
        for name, value in encode(figures, f"The usage of step {self.step!r}").shown.items():
            before = self._usage.get(name)
            summed = isinstance(value, int | float) and isinstance(before, int | float)
            self._usage[name] = before + value if summed else value

    @property
    def used(self) -> dict[str, Any] | None:
        return dict(self._usage) if self._usage else None


_current: contextvars.ContextVar[CurrentAttempt | None] = contextvars.ContextVar("runs_attempt", default=None)


def current_attempt() -> CurrentAttempt:
    """The attempt of the running step function. Raises LookupError outside of one."""
    attempt = _current.get()
    if attempt is None:
        raise LookupError("current_attempt() works inside a step function only. Call it there.")
    return attempt


def find_attempt() -> CurrentAttempt | None:
    return _current.get()


def enter(attempt: CurrentAttempt) -> contextvars.Token[CurrentAttempt | None]:
    return _current.set(attempt)


def leave(token: contextvars.Token[CurrentAttempt | None]) -> None:
    _current.reset(token)
