"""A copy of the tree in which the tests run on changed code."""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from tests.faults.mutants.catalogue import Mutant

ROOT = Path(__file__).resolve().parents[3]
_PARTS = (
    "runs", "hitl", "platform", "examples", "tests", "templates", "benchmarks", "docs", "manage.py", "pyproject.toml",
)  # fmt: skip
SECONDS = 180
SECONDS_PER_TEST = 40


@dataclass(frozen=True)
class Outcome:
    """How the named tests went: those that failed in any case, those that passed in all, and pytest's own words."""

    failed: frozenset[str]
    passed: frozenset[str]
    said: str


class Copy:
    """Of the tree, for one database; one mutant at a time lives in it."""

    def __init__(self, folder: Path, database: str, environment: dict[str, str]) -> None:
        self._folder, self._database, self._environment = folder, database, environment
        unwanted = shutil.ignore_patterns("__pycache__", "*.pyc", "node_modules")
        for part in _PARTS:
            source = ROOT / part
            if source.is_dir():
                shutil.copytree(source, folder / part, ignore=unwanted)
            elif source.exists():
                shutil.copy(source, folder / part)

    def try_tests(self, tests: Sequence[str]) -> Outcome:
        """Run these functions here."""
        report = self._folder / "report.xml"
        report.unlink(missing_ok=True)
        command = [
            sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--timeout", str(SECONDS_PER_TEST),
            "--database", self._database, f"--junitxml={report}", *tests,
        ]  # fmt: skip
        try:
            done = subprocess.run(
                command, cwd=self._folder, env=self._own_environment(), capture_output=True, text=True, timeout=SECONDS
            )
            said = done.stdout[-3000:] + done.stderr[-1000:]
        except subprocess.TimeoutExpired:
            said = f"The tests took more than {SECONDS} s."
        return _read(report, said)

    def try_mutant(self, mutant: Mutant) -> Outcome:
        file = self._folder / mutant.file
        source = file.read_text()
        file.write_text(source.replace(mutant.fragment, mutant.replacement))
        try:
            return self.try_tests(mutant.tests)
        finally:
            file.write_text(source)

    def _own_environment(self) -> dict[str, str]:
        """The copy comes before the tree that is installed; bytecode could outlive a change of the same second."""
        paths = f"{self._folder}{os.pathsep}{self._folder / 'platform'}"
        return {**os.environ, **self._environment, "PYTHONPATH": paths, "PYTHONDONTWRITEBYTECODE": "1"}


def _read(report: Path, said: str) -> Outcome:
    """A test that could not even begin has not failed: it noticed nothing."""
    if not report.exists():
        return Outcome(frozenset(), frozenset(), said)
    failed, passed = set(), set()
    for case in ElementTree.parse(report).iter("testcase"):
        name = f"{str(case.get('classname')).replace('.', '/')}.py::{function_of(str(case.get('name')))}"
        if case.find("failure") is not None:
            failed.add(name)
        elif all("teardown" in str(error.get("message")) for error in case.iter("error")):
            passed.add(name)  # a connection that outlives the last test disturbs the removal of the database only
    return Outcome(frozenset(failed), frozenset(passed - failed), said)


def function_of(test: str) -> str:
    """Without the case of a parametrized test."""
    return test.partition("[")[0]


def misfits(mutants: Sequence[Mutant]) -> list[str]:
    """Mutants whose fragment is not in its file once, with the remedy."""
    found = []
    for mutant in mutants:
        times = (ROOT / mutant.file).read_text().count(mutant.fragment)
        if times != 1:
            found.append(
                f"{mutant.name} ({mutant.database}): its fragment occurs {times} times in {mutant.file}. "
                "Write into tests/faults/mutants/catalogue.py what the code says now."
            )
    return found
