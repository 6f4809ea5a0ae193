"""What happened in a simulation, in order: two runs of one seed have the same trace."""

import hashlib
import logging
from collections.abc import Callable

from tests.faults.simulation.loop import current_process


class Trace:
    """Lines with the virtual second; `digest` covers all of them, and every turn of the loop."""

    def __init__(self, time: Callable[[], float], echo: bool = False) -> None:
        self.time = time
        self.lines: list[str] = []
        self._echo = echo
        self._hash = hashlib.sha256()

    def say(self, who: object, what: str) -> None:
        line = f"{self.time():12.6f} {who!s:8} {what}"
        self._hash.update(line.encode())
        self.lines.append(line)
        if self._echo:
            print(line, flush=True)  # noqa: T201  (whoever asked for a trace reads it)

    def count(self, what: str) -> None:
        """Something that is told apart by the digest only."""
        self._hash.update(what.encode())

    @property
    def digest(self) -> str:
        return self._hash.hexdigest()[:16]


class TracedLog(logging.Handler):
    """The engine's own log, as lines of a trace; the dead say nothing."""

    def __init__(self, trace: Trace) -> None:
        super().__init__(logging.WARNING)
        self._trace = trace
        self.setFormatter(logging.Formatter("%(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        process = current_process()
        if process is None or not process.is_dead:
            self._trace.say(process or "world", f"logs: {self.format(record)}")
