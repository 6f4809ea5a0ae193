"""What is kept when a campaign is stuck: rows, events, workers, stacks."""

import re
from pathlib import Path
from typing import Any

from tests.faults.campaign.clusters import Cluster
from tests.faults.campaign.observer import Observer
from tests.faults.campaign.sight import OUTAGES, Sight, as_hex

RUNS_SHOWN = 5


def collect(folder: Path, sight: Sight, observer: Observer, clusters: list[Cluster], problem: str) -> str:
    """Write it to a file of the campaign's folder; where that is and the beginning of it."""
    for cluster in clusters:
        cluster.dump_stacks()
    ids = sorted(observer.live, key=lambda run: observer.changed_at.get(run, 0))[:RUNS_SHOWN]
    file = _write(folder, [problem, *_tables(sight, ids)])
    return f"{file} (stacks at the end of {', '.join(str(cluster.log) for cluster in clusters)})"


def of_violations(folder: Path, sight: Sight, violations: list[str]) -> str:
    """The rows of the first runs that the violations name; the file."""
    text = "\n".join(violations)
    named = dict.fromkeys(as_hex(run) for run in re.findall(r"\brun ([0-9a-f-]{32,36})", text))
    for key in dict.fromkeys(re.findall(r"\(?'?\b(\d+(?:/[a-z_]+-\d+)*)'?,? '[a-z_]+-", text)):
        named |= {
            as_hex(run): None for [run] in sight.rows("SELECT id FROM runs_run WHERE input ->> 'key' = %s", [key])
        }
    return str(_write(folder, [*violations, *_tables(sight, list(named)[:RUNS_SHOWN])]))


def _write(folder: Path, parts: list[str]) -> Path:
    file = folder / "evidence.txt"
    file.write_text("\n\n".join(parts) + "\n")
    return file


def _tables(sight: Sight, ids: list[str]) -> list[str]:
    """The workers, then of each run its row, steps, attempts, signals and last events."""
    cast = "CAST(%s AS uuid)" if sight.on_postgresql else "%s"
    queries = [("workers", "SELECT * FROM runs_worker ORDER BY expires_at", [])]
    if sight.on_postgresql:
        queries.append(("connections", "SELECT pid, state, wait_event, xact_start, query FROM pg_stat_activity", []))
    for run in ids:
        queries += [
            (f"run {run}", f"SELECT * FROM runs_run WHERE id = {cast}", [run]),
            ("steps", f"SELECT * FROM runs_step WHERE run_id = {cast}", [run]),
            ("attempts", f"SELECT * FROM runs_attempt WHERE run_id = {cast}", [run]),
            ("signals", f"SELECT * FROM runs_signal WHERE run_id = {cast}", [run]),
            ("events", f"SELECT * FROM runs_event WHERE run_id = {cast} ORDER BY sequence DESC LIMIT 20", [run]),
        ]
    return [f"== {title}\n{_rows(sight, statement, parameters)}" for title, statement, parameters in queries]


def _rows(sight: Sight, statement: str, parameters: list[Any]) -> str:
    try:
        return "\n".join(str(row) for row in sight.rows(statement, parameters))
    except OUTAGES as exc:
        return f"no answer: {exc}"
