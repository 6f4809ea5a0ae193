"""An event loop that does not sit out timers, and tells when nothing is left that could happen in it."""

import asyncio
import selectors
from typing import Protocol

_LOOK_SECONDS = 0.1
_MOST_JUMPS = 1_000
"""A job whose own code ticks for ever comes to its end here, too."""


class Watched(Protocol):
    """What the loop is made for."""

    @property
    def is_busy(self) -> bool:
        """Whether a thread may still bring something: then real time passes."""

    def nothing_left(self) -> None:
        """No callback, no timer, no thread: nothing will happen any more."""


class _Selector(selectors.DefaultSelector):
    loop: "IdleLoop"

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        found = super().select(0)
        if found or (timeout is not None and timeout <= 0) or self.loop.jump(timeout):
            return found
        return super().select(_LOOK_SECONDS if timeout is None else min(timeout, _LOOK_SECONDS))


class IdleLoop(asyncio.SelectorEventLoop):
    """Its time jumps to the next timer as soon as there is nothing else to do."""

    watched: Watched | None = None

    def __init__(self) -> None:
        self._skipped, self._jumps = 0.0, 0
        selector = _Selector()
        selector.loop = self
        super().__init__(selector)

    def time(self) -> float:
        return super().time() + self._skipped

    def jump(self, seconds: float | None) -> bool:
        """Nothing is ready, and the next timer is `seconds` away (None: there is none). True if that has changed."""
        if self.watched is None or self.watched.is_busy:
            return False
        if seconds is None or self._jumps >= _MOST_JUMPS:
            self.watched.nothing_left()
        else:
            self._skipped += seconds
            self._jumps += 1
        return True
