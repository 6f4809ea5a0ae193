"""Sockets on which nothing happens."""

import time
from typing import Any

from benchmarks.live.installation import Watchers, cpu_seconds, resident_bytes, start_runs, web_pid
from tests.servers.installation import Installation

RUNS = 100
SETTLE_SECONDS = 10.0


def idle_sockets(installation: Installation, clients: int = 2000) -> dict[str, Any]:
    """What the web process grows by for each of `clients` that follow runs which wait, and its CPU meanwhile."""
    ids = start_runs(installation, "bench-wait", RUNS)
    web = web_pid(installation)
    _open_and_close(installation, ids)
    before = resident_bytes(web)
    watchers = Watchers(installation, [(run, clients // RUNS) for run in ids])
    try:
        watchers.wait_ready()
        busy = cpu_seconds(web)
        time.sleep(SETTLE_SECONDS)
        after = resident_bytes(web)
        busy = cpu_seconds(web) - busy
    finally:
        watchers.stop()
    return {
        "clients": clients, "kib_each": (after - before) / 1024 / clients,
        "idle_cpu_share": busy / SETTLE_SECONDS, "resident_mib": after / 2**20,
    }  # fmt: skip


def _open_and_close(installation: Installation, ids: list[str]) -> None:
    """What the first socket makes once, imports and connections, is no socket's own."""
    watchers = Watchers(installation, [(run, 1) for run in ids])
    watchers.wait_ready()
    watchers.stop()
