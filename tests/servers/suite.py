"""`python -m tests.servers.suite [PHASE...]`: the suite, once per database, then in a browser.

The campaigns, which kill real processes and watch them recover, are phases of their own (`make e2e`).

Servers are started once for all phases. Ends with the number of tests per database; exit code 1 when one failed.
"""

import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from xml.etree import ElementTree

from tests.servers import databases

# The worker's processes and whole reports on a real server: campaigns.
PROCESSES = ["tests/worker", "tests/examples/test_repository_report_runs.py"]
QUICK = ["tests", *(f"--ignore={path}" for path in PROCESSES)]
PHASES = {
    "sqlite": [*QUICK, "--database", "sqlite"],
    "postgresql": [*QUICK, "--database", "postgresql"],
    "browser": ["tests/e2e/test_pages.py", "tests/e2e/test_pages_reducer.py", "--database", "sqlite"],
    "processes-sqlite": [*PROCESSES, "--database", "sqlite"],
    "processes-postgresql": [*PROCESSES, "--database", "postgresql"],
    "e2e-sqlite": ["tests/e2e", "--database", "sqlite"],
    "e2e-postgresql": ["tests/e2e", "--database", "postgresql"],
}
LABELS = {
    "sqlite": "SQLite",
    "postgresql": "PostgreSQL and Redis",
    "browser": "pages in a browser, on SQLite",
    "processes-sqlite": "worker processes on SQLite",
    "processes-postgresql": "worker processes on PostgreSQL and Redis",
    "e2e-sqlite": "whole system on SQLite",
    "e2e-postgresql": "whole system on PostgreSQL and Redis",
}


def main(names: list[str]) -> int:
    os.environ["TEST_DATABASE_URL"] = databases.postgresql_url()
    os.environ["TEST_REDIS_URL"] = databases.redis_url()
    with tempfile.TemporaryDirectory(prefix="perdure-suite-") as folder:
        lanes = _lanes(names)
        with ThreadPoolExecutor(len(lanes)) as pool:
            found = list(pool.map(lambda lane: [(name, _run(name, Path(folder))) for name in lane], lanes))
        results = dict(pair for lane in found for pair in lane)
    print("\nTests per database:")
    for name, (line, _) in results.items():
        print(f"  {LABELS[name]:<40} {line}")
    return int(any(failed for _, failed in results.values()))


def _lanes(names: list[str]) -> list[list[str]]:
    """The two databases side by side: tests mostly wait for one. Campaigns measure seconds and run alone."""
    if any(name.startswith(("processes", "e2e")) for name in names):
        return [names]
    first = [name for name in names if name != "postgresql"]
    return [lane for lane in (first, [name for name in names if name not in first]) if lane]


def _run(name: str, folder: Path) -> tuple[str, bool]:
    report = folder / f"{name}.xml"
    print(f"... {LABELS[name]}", flush=True)
    command = [sys.executable, "-m", "pytest", *PHASES[name], f"--junitxml={report}", "-q"]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    code = done.returncode
    print(f"\n=== {LABELS[name]} ===\n{done.stdout}", flush=True)
    if not report.exists():
        return f"no result (pytest ended with {code})", True
    return _count(report, code)


def _count(report: Path, code: int) -> tuple[str, bool]:
    counts = {"tests": 0, "failures": 0, "errors": 0, "skipped": 0}
    for suite in ElementTree.parse(report).iter("testsuite"):
        for key in counts:
            counts[key] += int(suite.get(key, 0))
    failed = counts["failures"] + counts["errors"]
    passed = counts["tests"] - failed - counts["skipped"]
    line = f"{passed} passed, {failed} failed, {counts['skipped']} skipped"
    return line, bool(code or failed or counts["skipped"] or not counts["tests"])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or ["sqlite", "postgresql", "browser"]))
