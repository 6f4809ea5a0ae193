"""The installation that is measured, and what its processes use."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg

from benchmarks.perdure import Perdure, started
from tests.servers import processes
from tests.servers.installation import ROOT, Installation

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


@contextmanager
def live_installation() -> Iterator[Perdure]:
    """PostgreSQL with the project's own channel layer, one web process, one driver for 600 runs."""
    found = Installation(
        postgresql=True, PERDURE_APPS="benchmarks.live", PERDURE_WORKERS="1", RUNS_CONCURRENCY="600"
    )  # fmt: skip
    del found.environment["REDIS_URL"]
    with started(found) as live:
        yield live


def web_pid(installation: Installation) -> int:
    """The Daphne process."""
    return next(pid for pid in installation.pids() if "daphne" in processes.command_line(pid))


def driver_pid(installation: Installation) -> int:
    """The process that drives runs."""
    return int(
        installation.wait_for(lambda: installation.request("GET", "/api/workers/").json(), 30, "worker")[0]["pid"]
    )


def cpu_seconds(pid: int) -> float:
    """User and system time so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def resident_bytes(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE


def open_files(pid: int) -> int:
    return len(os.listdir(f"/proc/{pid}/fd"))


@dataclass
class Usage:
    """Of one process, between the two ends of `watched`."""

    cpu_seconds: float = 0.0
    most_bytes: int = 0
    _stop: threading.Event = field(default_factory=threading.Event)


@contextmanager
def watched(pid: int) -> Iterator[Usage]:
    """Its CPU time and its largest resident size, looked at four times a second."""
    usage = Usage()
    before = cpu_seconds(pid)

    def look() -> None:
        while not usage._stop.wait(0.25):
            usage.most_bytes = max(usage.most_bytes, resident_bytes(pid))

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield usage
    finally:
        usage._stop.set()
        thread.join()
        usage.most_bytes = max(usage.most_bytes, resident_bytes(pid))
        usage.cpu_seconds = cpu_seconds(pid) - before


def wait_until_running(installation: Installation, run_ids: list[str]) -> None:
    """Every one was claimed."""
    with psycopg.connect(str(installation.database_url), autocommit=True) as connection:
        query = "SELECT count(*) FROM runs_run WHERE id = ANY(%s::uuid[]) AND status = 'queued'"
        while (row := connection.execute(query, [run_ids]).fetchone()) and row[0]:
            time.sleep(0.1)


def saved_checkpoints(installation: Installation, run_ids: list[str]) -> tuple[int, float]:
    """How many the runs' logs hold, and the seconds from the first to the last."""
    query = (
        "SELECT count(*), extract(epoch FROM max(created_at) - min(created_at)) FROM runs_event "
        "WHERE run_id = ANY(%s::uuid[]) AND type = 'checkpoint:save'"
    )
    with psycopg.connect(str(installation.database_url)) as connection:
        row = connection.execute(query, [run_ids]).fetchone()
    assert row is not None
    return int(row[0]), float(row[1])


class Watchers:
    """The process of raw clients."""

    def __init__(self, installation: Installation, wanted: list[tuple[str, int]]) -> None:
        address = urlsplit(installation.base_url)
        command = [sys.executable, "-m", "benchmarks.live.watchers"]
        self._process = subprocess.Popen(
            [*command, str(address.hostname), str(address.port), installation.token], cwd=ROOT,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(wanted))
        self._process.stdin.close()

    def wait_ready(self) -> None:
        """Every client is connected and was sent something."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if line != "ready\n":
            raise RuntimeError(f"the clients ended with {self._process.wait()}: {line}")

    def result(self) -> dict[str, Any]:
        """What they saw, when all of them were closed."""
        assert self._process.stdout is not None
        return dict(json.loads(self._process.stdout.read()))

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()


def bare_cpu_seconds(tasks: int, count: int, seconds: float) -> float:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.live.bare", str(tasks), str(count), str(seconds)],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return float(json.loads(done.stdout)["cpu_seconds"])
