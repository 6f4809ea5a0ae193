"""Streams: many runs with a watcher each, one run with many, and checkpoints."""

import time
from typing import Any

from benchmarks.live.installation import (
    Watchers,
    bare_cpu_seconds,
    driver_pid,
    release,
    saved_checkpoints,
    start_runs,
    wait_all,
    wait_until_running,
    watched,
    web_pid,
)
from tests.servers.installation import Installation

WARM_UP_SECONDS = 2.0


def many_runs(installation: Installation, runs: int = 500, seconds: float = 10.0, rate: float = 20.0) -> dict[str, Any]:
    """Each of `runs` emits `rate` frames a second, watched by one client.

    The worker's CPU is taken for `seconds` while all of them stream, and so is that of the bare loop.
    """
    count = int((seconds + 2 * WARM_UP_SECONDS) * rate)
    floor = bare_cpu_seconds(runs, int(seconds * rate), 1 / rate)
    driver, web = driver_pid(installation), web_pid(installation)
    ids = start_runs(installation, "bench-stream", runs, count=count, per_second=rate)
    watchers = Watchers(installation, [(run, 1) for run in ids])
    watchers.wait_ready()
    with watched(driver) as whole:
        release(installation, ids)
        wait_until_running(installation, ids)
        time.sleep(WARM_UP_SECONDS)
        with watched(driver) as worker, watched(web) as server:
            time.sleep(seconds)
        seen = watchers.result()
    wait_all(installation, ids)
    return {
        **seen, "expected": runs * count, "worker_cpu": worker.cpu_seconds, "bare_cpu": floor,
        "worker_by_bare": worker.cpu_seconds / floor, "kib_per_run": whole.grown_bytes / 1024 / runs,
        "web_cpu": server.cpu_seconds, "worker_cpu_whole": whole.cpu_seconds,
    }  # fmt: skip


def one_run(
    installation: Installation, clients: int = 200, seconds: float = 10.0, rate: float = 50.0
) -> dict[str, Any]:
    """`clients` sockets of one web process watch the same run."""
    count = int(seconds * rate)
    web = web_pid(installation)
    ids = start_runs(installation, "bench-stream", 1, count=count, per_second=rate)
    watchers = Watchers(installation, [(ids[0], clients)])
    watchers.wait_ready()
    with watched(web) as server:
        release(installation, ids)
        seen = watchers.result()
    return {**seen, "expected": clients * count, "web_cpu": server.cpu_seconds}


def checkpoints(
    installation: Installation, runs: int = 100, seconds: float = 10.0, rate: float = 10.0
) -> dict[str, Any]:
    """Each of `runs` wants `rate` checkpoints a second for `seconds`; all of them have to be in the log."""
    count = int(seconds * rate)
    driver = driver_pid(installation)
    ids = start_runs(installation, "bench-checkpoints", runs, count=count, per_second=rate)
    with watched(driver) as worker:
        release(installation, ids)
        wait_all(installation, ids)
    saved, took = saved_checkpoints(installation, ids)
    return {"wanted": runs * count, "saved": saved, "per_second": saved / took, "worker_cpu": worker.cpu_seconds}
