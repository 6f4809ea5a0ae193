"""Where and on what the figures were taken."""

import os
import platform
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psycopg

from benchmarks.peers.environments import pins

SETTINGS = ("server_version", "fsync", "synchronous_commit", "shared_buffers", "max_wal_size", "full_page_writes")
PACKAGES = ("perdure", "django", "django-q2", "psycopg", "channels", "daphne", "redis")


def environment(postgresql_url: str, peers: Iterable[str] = ()) -> dict[str, Any]:
    """Machine, versions (of the programs of those names too, as they are pinned), and the database's settings."""
    with psycopg.connect(postgresql_url) as connection:
        settings = {name: _setting(connection, name) for name in SETTINGS}
    return {
        "taken_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": _commit(),
        "machine": {
            "processor": _from_proc("/proc/cpuinfo", "model name"), "cores": os.cpu_count(),
            "memory": _from_proc("/proc/meminfo", "MemTotal"), "system": platform.platform(),
            "load_average": os.getloadavg()[0],
        },
        "versions": {"python": sys.version.split()[0], **{name: version(name) for name in PACKAGES}},
        "peers": sorted({pin for program in peers for pin in pins(program)}),
        "postgresql": settings,
        "sqlite": {"version": sqlite3.sqlite_version, "journal_mode": "wal", "synchronous": "full"},
    }  # fmt: skip


def _setting(connection: "psycopg.Connection[Any]", name: str) -> str:
    row = connection.execute("SELECT current_setting(%s)", [name]).fetchone()
    assert row is not None
    return str(row[0])


def _from_proc(path: str, name: str) -> str:
    if not Path(path).exists():
        return "unknown"
    lines = (line for line in Path(path).read_text().splitlines() if line.startswith(name))
    return next(lines, ": unknown").split(":", 1)[1].strip()


def _commit() -> str:
    if not shutil.which("git"):
        return "unknown"
    done = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"
