"""Streams: many runs with a watcher each, one run with many, and checkpoints."""

import time
from typing import Any

from benchmarks.live.installation import (
    Watchers,
    bare_cpu_seconds,
    driver_pid,
    saved_checkpoints,
    wait_until_running,
    watched,
    web_pid,
)
from benchmarks.perdure import Perdure

WARM_UP_SECONDS = 1.0


def many_runs(
    live: Perdure, resident_before: int, runs: int = 500, seconds: float = 10.0, rate: float = 20.0
) -> dict[str, Any]:
    """Each of `runs` emits `rate` frames a second, watched by one client.

    The worker's CPU is taken for `seconds` while all of them stream, and so is that of the bare loop. Its memory counts
    from `resident_before` any of the repetitions: what one has freed, the next one takes again, and would not be seen.
    """
    count = int((seconds + 2 * WARM_UP_SECONDS) * rate)
    floor = bare_cpu_seconds(runs, int(seconds * rate), 1 / rate)
    driver, web = driver_pid(live.installation), web_pid(live.installation)
    ids = live.ask("queue", job="bench-stream", count=runs, given={"count": count, "per_second": rate})
    watchers = Watchers(live.installation, [(run, 1) for run in ids])
    watchers.wait_ready()
    with watched(driver) as whole:
        live.ask("release", run_ids=ids)
        wait_until_running(live.installation, ids)
        time.sleep(WARM_UP_SECONDS)
        with watched(driver) as worker, watched(web) as server:
            time.sleep(seconds)
        seen = watchers.result()
    live.ask("finish", run_ids=ids)
    return {
        **seen, "expected": runs * count, "worker_cpu": worker.cpu_seconds, "bare_cpu": floor,
        "worker_by_bare": worker.cpu_seconds / floor,
        "kib_per_run": (whole.most_bytes - resident_before) / 1024 / runs,
        "web_cpu": server.cpu_seconds, "worker_cpu_whole": whole.cpu_seconds,
    }  # fmt: skip


def one_run(live: Perdure, clients: int = 200, seconds: float = 10.0, rate: float = 50.0) -> dict[str, Any]:
    """`clients` sockets of one web process watch the same run."""
    count = int(seconds * rate)
    web = web_pid(live.installation)
    ids = live.ask("queue", job="bench-stream", count=1, given={"count": count, "per_second": rate})
    watchers = Watchers(live.installation, [(ids[0], clients)])
    watchers.wait_ready()
    with watched(web) as server:
        live.ask("release", run_ids=ids)
        seen = watchers.result()
    return {**seen, "expected": clients * count, "web_cpu": server.cpu_seconds}


def checkpoints(live: Perdure, runs: int = 100, seconds: float = 10.0, rate: float = 10.0) -> dict[str, Any]:
    """Each of `runs` wants `rate` checkpoints a second for `seconds`; all of them have to be in the log."""
    count = int(seconds * rate)
    driver = driver_pid(live.installation)
    ids = live.ask("queue", job="bench-checkpoints", count=runs, given={"count": count, "per_second": rate})
    with watched(driver) as worker:
        live.ask("release", run_ids=ids)
        live.ask("finish", run_ids=ids)
    saved, took = saved_checkpoints(live.installation, ids)
    return {"wanted": runs * count, "saved": saved, "per_second": saved / took, "worker_cpu": worker.cpu_seconds}
