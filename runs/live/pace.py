"""When to wake those who wait for news: at once while that is cheap, and less often the longer a round takes."""

import asyncio
from collections.abc import Sequence
from typing import Protocol

MOST_SECONDS = 0.1
"""The longest pause between two rounds."""
_TURNS = 4
"""Of the loop, after which those who were woken have sent, and the server has written to their sockets."""


class Sleeper(Protocol):
    def wake(self) -> None:
        """There is something to send."""


class Pace:
    """Wakes in rounds. Each pause is as long as the round before took, so that senders use half of the loop at most
    and what comes meanwhile travels together."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._due: dict[Sleeper, None] = {}
        self._under_way = False

    def wake(self, sleepers: Sequence[Sleeper]) -> None:
        self._due.update(dict.fromkeys(sleepers))
        if not self._under_way and self._due:
            self._under_way = True
            self._loop.call_soon(self._round)

    def _round(self) -> None:
        due, self._due = self._due, {}
        begun = self._loop.time()
        for sleeper in due:
            sleeper.wake()
        self._loop.call_soon(self._wait_for_end, begun, _TURNS)

    def _wait_for_end(self, begun: float, turns: int) -> None:
        if turns:
            self._loop.call_soon(self._wait_for_end, begun, turns - 1)
            return
        pause = min(MOST_SECONDS, self._loop.time() - begun)
        self._loop.call_later(pause, self._next)

    def _next(self) -> None:
        if self._due:
            self._round()
        else:
            self._under_way = False
