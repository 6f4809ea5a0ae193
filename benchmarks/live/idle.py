"""Sockets on which nothing happens."""

import time
from typing import Any

from benchmarks.live.installation import Watchers, cpu_seconds, open_files, resident_bytes, web_pid
from benchmarks.perdure import Perdure

RUNS = 100
SETTLE_SECONDS = 5.0
CONNECTIONS = 20
"""To the database, that a web process may have opened meanwhile."""


class IdleSockets:
    """On runs that wait. Memory counts from before the first of them: what one look freed, the next one takes again."""

    def __init__(self, live: Perdure) -> None:
        self.installation = live.installation
        self.web = web_pid(live.installation)
        self.run_ids: list[str] = live.ask("queue", job="bench-wait", count=RUNS, given={})
        self.files = open_files(self.web) + CONNECTIONS
        self._open_and_close()
        self.before = resident_bytes(self.web)

    def measure(self, clients: int) -> dict[str, Any]:
        """What the web process has grown by for each of `clients`, and its CPU while nothing happens."""
        watchers = Watchers(self.installation, [(run, clients // RUNS) for run in self.run_ids])
        try:
            watchers.wait_ready()
            busy = cpu_seconds(self.web)
            time.sleep(SETTLE_SECONDS)
            after = resident_bytes(self.web)
            busy = cpu_seconds(self.web) - busy
        finally:
            self._end(watchers)
        return {
            "clients": clients, "kib_each": (after - self.before) / 1024 / clients,
            "idle_cpu_share": busy / SETTLE_SECONDS, "resident_mib": after / 2**20,
        }  # fmt: skip

    def _open_and_close(self) -> None:
        """What the first sockets make once, imports, threads and connections, is no socket's own."""
        watchers = Watchers(self.installation, [(run, 1) for run in self.run_ids])
        watchers.wait_ready()
        self._end(watchers)

    def _end(self, watchers: Watchers) -> None:
        """Until the server has seen it: sockets of two looks at once would be counted as one's."""
        watchers.stop()
        self.installation.wait_for(lambda: open_files(self.web) <= self.files, 60, "end of the sockets")
