"""`python -m tests.servers.suite [PHASE...]`: the suite, once per database, then in a browser.

The campaigns, which kill real processes and watch them recover, are phases of their own (`make e2e`).

Servers are started once for all phases. Ends with the number of tests per database; exit code 1 when one failed.
"""

import os
import subprocess
import sys
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from tests.servers import databases

# The worker's processes and whole reports on a real server: campaigns.
PROCESSES = ["tests/worker", "tests/examples/test_repository_report_runs.py"]
ENGINE = ["tests/engine", "tests/hitl", "tests/testing"]
# `make faults` and `make faults-short` run these.
FAULTS = ["tests/faults"]
REST = ["tests", *(f"--ignore={path}" for path in [*PROCESSES, *ENGINE, *FAULTS])]
# Nothing in them depends on which database the suite runs on: they run with SQLite's.
ONCE = [
    "tests/benchmarks", "tests/checks/test_guarantees_page.py", "tests/engine/test_emitted.py",
    "tests/engine/test_schedule_times.py", "tests/examples/test_diffs.py",
    "tests/examples/test_repository_report_measures.py", "tests/examples/test_review_feedback.py",
    "tests/examples/test_ruff_reads_no_secrets.py", "tests/live/test_channel_layers.py",
    "tests/live/test_gone_clients.py", "tests/live/test_pace.py", "tests/test_platform_folder.py",
    "tests/wiring/test_environment.py", "tests/wiring/test_supervisor.py",
]  # fmt: skip
BROWSER = ["tests/e2e/test_pages.py", "tests/e2e/test_pages_reducer.py"]


@dataclass(frozen=True)
class Phase:
    """What is run on one database: each share is a pytest of its own."""

    label: str
    database: str
    shares: tuple[list[str], ...]


PHASES = {
    "sqlite": Phase("SQLite", "sqlite", (REST, ENGINE)),
    "postgresql": Phase(
        "PostgreSQL and Redis",
        "postgresql",
        tuple([*share, *(f"--ignore={path}" for path in ONCE)] for share in (REST, ENGINE)),
    ),
    "browser": Phase("pages in a browser, on SQLite", "sqlite", (BROWSER,)),
    "processes-sqlite": Phase("worker processes on SQLite", "sqlite", (PROCESSES,)),
    "processes-postgresql": Phase("worker processes on PostgreSQL and Redis", "postgresql", (PROCESSES,)),
    "e2e-sqlite": Phase("whole system on SQLite", "sqlite", (["tests/e2e"],)),
    "e2e-postgresql": Phase("whole system on PostgreSQL and Redis", "postgresql", (["tests/e2e"],)),
}
AT_ONCE = 4
"""Tests mostly wait, for a database or for a moment: four at once keep two processors busy."""

Counts = Counter[str]


def main(names: list[str]) -> int:
    os.environ["TEST_DATABASE_URL"] = databases.postgresql_url()
    own_redis = "TEST_REDIS_URL" not in os.environ
    os.environ["TEST_REDIS_URL"] = databases.redis_url()
    # campaigns measure seconds and run alone
    at_once = 1 if any(name.startswith(("processes", "e2e")) for name in names) else AT_ONCE
    found: dict[str, Counts] = {name: Counter() for name in names}
    with tempfile.TemporaryDirectory(prefix="perdure-suite-") as folder, ThreadPoolExecutor(at_once) as pool:
        pending = [
            (name, pool.submit(_run, PHASES[name], share, Path(folder), own_redis))
            for name in sorted(names, key=lambda name: name == "browser")
            for share in range(len(PHASES[name].shares))
        ]
        for name, counts in pending:
            found[name] += counts.result()
    print("\nTests per database:")
    for name, counts in found.items():
        line = f"{counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped"
        print(f"  {PHASES[name].label:<40} {line}{', and pytest itself failed' if counts['broken'] else ''}")
    return int(any(set(+counts) != {"passed"} for counts in found.values()))


def _run(phase: Phase, share: int, folder: Path, own_redis: bool) -> Counts:
    report = folder / f"{phase.label}-{share}.xml"
    print(f"... {phase.label} ({share + 1} of {len(phase.shares)})", flush=True)
    command = [sys.executable, "-m", "pytest", *phase.shares[share], "--database", phase.database, "-q"]
    done = subprocess.run(
        [*command, f"--junitxml={report}"], env=_environment(phase, share, own_redis),
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    print(f"\n=== {phase.label} ({share + 1} of {len(phase.shares)}) ===\n{done.stdout}", flush=True)
    counts = _count(report) if report.exists() else Counter()
    is_whole = done.returncode == 0 or (done.returncode == 1 and counts["failed"] + counts["skipped"])
    return counts + Counter(broken=int(not is_whole or not counts.total()))


def _environment(phase: Phase, share: int, own_redis: bool) -> dict[str, str]:
    """Shares of one phase run at once: each has a database and a Redis to itself."""
    environment = dict(os.environ)
    if phase.database == "postgresql" and share:
        environment["TEST_DATABASE_URL"] = databases.create_database(environment["TEST_DATABASE_URL"])
        if own_redis:
            environment["TEST_REDIS_URL"] = databases.another_redis_url()
    return environment


def _count(report: Path) -> Counts:
    counts: Counts = Counter()
    for suite in ElementTree.parse(report).iter("testsuite"):
        failed, skipped = (
            int(suite.get("failures", 0)) + int(suite.get("errors", 0)), int(suite.get("skipped", 0))
        )  # fmt: skip
        counts += Counter(passed=int(suite.get("tests", 0)) - failed - skipped, failed=failed, skipped=skipped)
    return counts


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or ["sqlite", "postgresql", "browser"]))
