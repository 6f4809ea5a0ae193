"""What a recorded step costs: alone, and with 100 runs at once, on real worker processes."""

import json
import os
import platform
import statistics
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks import floor
from tests.servers.installation import Installation

REPETITIONS = 5
RESULTS = Path(__file__).parent / "results"


def main() -> int:
    """Both databases, A, B, A, B; prints a Markdown table and keeps the figures as JSON."""
    found = [measure(database) for database in ("sqlite", "postgresql")]
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / "steps.json"
    path.write_text(json.dumps({"machine": machine(), "databases": found}, indent=2) + "\n")
    sys.stdout.write(table(found) + "\n")
    return 0


def measure(database: str) -> dict[str, Any]:
    installation = Installation(postgresql=database == "postgresql", PERDURE_APPS="benchmarks")
    try:
        installation.start()
        rows = [_repeat(installation) for _ in range(REPETITIONS)]
    finally:
        installation.remove()
    medians = {name: statistics.median(row[name] for row in rows) for name in rows[0]}
    return {"database": database, "repetitions": rows, **medians}


def _repeat(installation: Installation) -> dict[str, float]:
    base = _floor(installation)
    lone = _lone(installation)
    crowd = _crowd(installation, runs=100, steps=100)
    return {
        "floor_ms": base * 1000, "lone_step_ms": lone * 1000, "lone_ratio": lone / base,
        "crowd_steps_per_second": crowd, "crowd_ratio": crowd * base, "start_ms": _start_latency(installation),
    }  # fmt: skip


def _floor(installation: Installation) -> float:
    if installation.database_url:
        return floor.postgresql_seconds(installation.database_url)
    return floor.sqlite_seconds(installation.data_dir / "floor.sqlite3")


ENDS = ("completed", "failed", "cancelled")


def _to_end(installation: Installation, steps: int) -> dict[str, Any]:
    run_id = installation.start_run("bench-steps", {"steps": steps})
    return installation.wait_for_status(run_id, *ENDS)


def _lone(installation: Installation) -> float:
    run = _to_end(installation, 100)
    return _seconds(run["started_at"], run["finished_at"]) / 100


def _crowd(installation: Installation, *, runs: int, steps: int) -> float:
    """Steps a second from the first claim to the last end; all become due at once."""
    due = (datetime.now(UTC) + timedelta(seconds=10)).isoformat()
    ids = [installation.start_run("bench-steps", {"steps": steps}, run_at=due) for _ in range(runs)]
    ended = [installation.wait_for_status(run_id, *ENDS, within=120) for run_id in ids]
    first = min(_moment(run["started_at"]) for run in ended)
    last = max(_moment(run["finished_at"]) for run in ended)
    assert first >= _moment(due), "the runs were not all there when the first began"
    return runs * steps / (last - first).total_seconds()


def _start_latency(installation: Installation) -> float:
    """Median milliseconds from the row's creation to its first claim, on an idle worker."""
    return statistics.median(_latency(_to_end(installation, 1)) for _ in range(10))


def _latency(run: dict[str, Any]) -> float:
    return _seconds(run["created_at"], run["started_at"]) * 1000


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def _seconds(start: str, end: str) -> float:
    return (_moment(end) - _moment(start)).total_seconds()


def machine() -> dict[str, Any]:
    return {"python": sys.version.split()[0], "system": platform.platform(), "cores": os.cpu_count()}


COLUMNS: list[tuple[str, Callable[[dict[str, Any]], str]]] = [
    ("database", lambda row: row["database"]),
    ("floor, ms", lambda row: f"{row['floor_ms']:.2f}"),
    ("lone step, ms", lambda row: f"{row['lone_step_ms']:.2f}"),
    ("lone step ÷ floor", lambda row: f"{row['lone_ratio']:.1f}"),
    ("100 runs, steps/s", lambda row: f"{row['crowd_steps_per_second']:.0f}"),
    ("steps per floor commit", lambda row: f"{row['crowd_ratio']:.2f}"),
    ("start, ms", lambda row: f"{row['start_ms']:.1f}"),
]


def table(found: list[dict[str, Any]]) -> str:
    head = "| " + " | ".join(name for name, _ in COLUMNS) + " |"
    lines = ["| " + " | ".join(cell(row) for _, cell in COLUMNS) + " |" for row in found]
    return "\n".join([head, "|" + " --- |" * len(COLUMNS), *lines])


if __name__ == "__main__":
    sys.exit(main())
