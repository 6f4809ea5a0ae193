"""A thread that watches the rows from outside: which steps are recorded since when, which runs move."""

import threading
import time
from typing import NamedTuple

from tests.faults.campaign.sight import OUTAGES, Sight, as_hex

EVERY_SECONDS = 0.3


class Seen(NamedTuple):
    """A run that has not ended, at one look."""

    key: str
    status: str
    reason: str
    last_sequence: int
    token: int
    parent: str


class Observer:
    """What it has seen may be read by other threads."""

    def __init__(self, url: str) -> None:
        self._sight = Sight(url)
        self._over = threading.Event()
        self.live: dict[str, Seen] = {}
        """By run id."""
        self.changed_at: dict[str, float] = {}
        self.recorded: dict[tuple[str, str], float] = {}
        """(program, step): when it was first seen recorded as completed, at the latest."""
        self.looked_at = 0.0
        self.looks = 0
        self._thread = threading.Thread(target=self._run, name="observer", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._over.set()
        self._thread.join(30)
        self._sight.close()

    def _run(self) -> None:
        while not self._over.wait(EVERY_SECONDS):
            try:
                self._look()
            except OUTAGES:
                continue

    def _look(self) -> None:
        begun = time.monotonic()
        live = {
            as_hex(id_): Seen(*rest, as_hex(parent))
            for id_, parent, *rest in self._sight.rows(
                "SELECT id, parent_id, input ->> 'key', status, reason, last_sequence, lease_token FROM runs_run "
                "WHERE status IN ('queued', 'running', 'waiting', 'paused')"
            )
        }
        steps = self._sight.rows(
            "SELECT r.input ->> 'key', s.name FROM runs_step s JOIN runs_run r ON r.id = s.run_id "
            "WHERE r.status IN ('queued', 'running', 'waiting', 'paused') AND s.status = 'completed'"
        )
        now = time.monotonic()
        for key, name in steps:
            self.recorded.setdefault((key, name), now)
        for id_, seen in live.items():
            if self.live.get(id_) != seen:
                self._mark(live, id_, begun)
        self.live, self.looked_at, self.looks = live, begun, self.looks + 1

    def _mark(self, live: dict[str, Seen], id_: str, at: float) -> None:
        """It has moved, and those that wait for it are not stuck either."""
        while id_ in live:
            self.changed_at[id_] = at
            id_ = live[id_].parent

    def still(self, seconds: float) -> list[str]:
        """Runs that have not moved for so long."""
        limit = self.looked_at - seconds
        return [id_ for id_ in list(self.live) if self.changed_at.get(id_, self.looked_at) < limit]
