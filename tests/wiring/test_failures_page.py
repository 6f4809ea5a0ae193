"""docs/explanation/failures.md names tests that exist, for every class of failure."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
PAGE = ROOT / "docs" / "explanation" / "failures.md"

CLASSES = (
    "A recovery that fails is forgotten",
    "Deciding on a stale read, then executing",
    "The lease is lost while the old worker lives",
    "A signal comes while a step runs",
    "A step outlasts a redelivery timer",
    "A resume repeats side effects, or parallel waits collide",
    "An approval counts twice, or for something else",
    "An approval outlives the deployment",
    "The event comes before its waiter, and races leave losers behind",
    "An asynchronous task is garbage-collected",
    "Poll storms and thundering herds",
    "NOTIFY becomes the bottleneck",
    "A long run reaches a limit of its history",
    "Checkpoints grow without bound",
    "A poisonous payload wedges the engine",
    "The detector of dead workers is wrong",
    "A stream drops or doubles text when it reconnects",
    "A fork starts children again, or loses their failure",
    "A one-shot alarm is consumed and nothing is left to wake the run",
    "A job that nobody registered waits for ever in silence",
    "Clocks count the time that people took",
)
"""What went wrong in other engines. A class is left out of the page by nobody's mistake."""

_TEST = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")
_LOOSE = re.compile(r"`tests/[^`]*`")


def problems(page: str, classes: tuple[str, ...] = CLASSES) -> list[str]:
    """What is wrong with the page; nothing when each class says what shows that it does not happen here."""
    sections = dict(_sections(page))
    found = [f"no section: {name}" for name in classes if name not in sections]
    found += [f"unknown class: {name}" for name in sections if name not in classes]
    for name, text in sections.items():
        tests = _TEST.findall(text)
        if not tests and "**Cannot occur:**" not in text:
            found.append(f"shown by nothing: {name}")
        found += [f"no such test: {file}::{test}" for file, test in tests if test not in _functions_of(ROOT / file)]
        found += [f"not a test: {loose}" for loose in _LOOSE.findall(text) if not _TEST.fullmatch(loose)]
    return found


def _sections(page: str) -> list[tuple[str, str]]:
    parts = re.split(r"^## (?:\d+\. )?(.+)$", page, flags=re.MULTILINE)
    return list(zip(parts[1::2], parts[2::2], strict=True))


@cache
def _functions_of(file: Path) -> set[str]:
    """The names of the test functions of a file; none if it is not there."""
    if not file.is_file():
        return set()
    tree = ast.parse(file.read_text())
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def test_every_class_names_tests_that_exist() -> None:
    assert problems(PAGE.read_text()) == []


GOOD = "# Failures\n\n## 1. One\n\n`tests/wiring/test_failures_page.py::test_every_class_names_tests_that_exist`\n"


@pytest.mark.parametrize(
    ("page", "problem"),
    [
        ("# Failures\n", "no section: One"),
        (f"{GOOD}\n## 2. Two\n\n**Cannot occur:** there is none.\n", "unknown class: Two"),
        ("## 1. One\n\nWe are careful.\n", "shown by nothing: One"),
        (GOOD.replace("that_exist", "that_do_not"), "no such test: tests/wiring/test_failures_page.py::"),
        (GOOD.replace("wiring", "nowhere"), "no such test: tests/nowhere/test_failures_page.py::"),
        (f"{GOOD}\nand `tests/wiring/test_failures_page.py`\n", "not a test: `tests/wiring/test_failures_page.py`"),
    ],
)
def test_a_page_that_claims_too_much_is_refused(page: str, problem: str) -> None:
    assert problems(GOOD, ("One",)) == []
    assert any(found.startswith(problem) for found in problems(page, ("One",)))


def test_a_class_that_cannot_occur_says_why_instead() -> None:
    assert problems("## 1. One\n\n**Cannot occur:** nothing of the kind is kept.\n", ("One",)) == []
