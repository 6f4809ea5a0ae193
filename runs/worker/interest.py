"""Who watches which run: readers say so every few seconds, and nothing is sent for a run that nobody watches."""

from typing import Any
from uuid import UUID

from runs import clock
from runs.conf import get_settings


class Interest:
    """The word of each reader process, valid for `RUNS_INTEREST_SECONDS`; kept also of runs not driven here.

    Ids are text: each emit asks, and a UUID's hash and comparison are functions in Python.
    """

    def __init__(self) -> None:
        self._valid = get_settings().interest_seconds
        self._readers: dict[str, tuple[float, frozenset[str]]] = {}

    def hear(self, message: dict[str, Any]) -> None:
        """An `interest` message: it replaces what the same reader said before."""
        now = clock.monotonic()
        said = now + self._valid, frozenset(str(UUID(str(run))) for run in message["runs"])
        # A new dict each time: `watched` goes through it in other threads.
        others = {reader: word for reader, word in self._readers.items() if word[0] > now}
        self._readers = others | {str(message["reader"]): said}

    def watched(self, run: str) -> bool:
        for until, runs in self._readers.values():  # noqa: SIM110  (a generator would cost twice as much, at each emit)
            if run in runs and until > clock.monotonic():
                return True
        return False

    def readers_of(self, run: str) -> list[str]:
        """The reader processes that watch it."""
        now = clock.monotonic()
        return [reader for reader, (until, runs) in self._readers.items() if run in runs and until > now]
