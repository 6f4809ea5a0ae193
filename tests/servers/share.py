"""One pytest of the suite: its command, what it counted, and a second try of what failed."""

import os
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

from tests.servers import databases
from tests.servers.phases import Phase

AGAIN = 3
"""So many failed tests of one share may be an accident; more are not tried again."""

Counts = Counter[str]


@dataclass
class Share:
    """A part of a phase. `counts` holds passed, failed, skipped, `unsteady` (passed at the second try), broken."""

    phase: Phase
    number: int
    folder: Path
    own_redis: bool
    counts: Counts = field(default_factory=Counter)

    @property
    def label(self) -> str:
        return f"{self.phase.label} ({self.number + 1} of {len(self.phase.shares)})"

    def run(self) -> None:
        print(f"... {self.label}", flush=True)
        self.counts = self._pytest("first", *self.phase.shares[self.number])

    def try_again(self) -> None:
        """Run what failed once more; nothing else runs now."""
        if not 0 < self.counts["failed"] <= AGAIN or self.counts["broken"]:
            return
        print(f"... {self.label}: what failed, once more and alone", flush=True)
        again = self._pytest(
            "again", *self.phase.shares[self.number], "--last-failed", "--last-failed-no-failures=none"
        )
        if again["broken"] or again.total() != self.counts["failed"]:
            return
        self.counts["failed"] = again["failed"]
        self.counts["unsteady"] = again["passed"]

    def _pytest(self, name: str, *arguments: str) -> Counts:
        report = self.folder / f"{self.phase.label}-{self.number}-{name}.xml"
        cache = self.folder / f"{self.phase.label}-{self.number}-cache"
        command = [sys.executable, "-m", "pytest", *arguments, "--database", self.phase.database, "-q"]
        done = subprocess.run(
            [*command, "-o", f"cache_dir={cache}", f"--junitxml={report}"], env=self._environment(),
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        print(f"\n=== {self.label} ===\n{done.stdout}", flush=True)
        counts = _count(report) if report.exists() else Counter()
        is_whole = done.returncode == 0 or (done.returncode == 1 and counts["failed"] + counts["skipped"])
        return counts + Counter(broken=int(not is_whole or not counts.total()))

    def _environment(self) -> dict[str, str]:
        """Shares of one phase run at once: each has a database and a Redis to itself."""
        environment = dict(os.environ)
        if self.phase.database == "postgresql" and self.number:
            environment["TEST_DATABASE_URL"] = databases.create_database(environment["TEST_DATABASE_URL"])
            if self.own_redis:
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
