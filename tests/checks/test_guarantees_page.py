"""docs/explanation/guarantees.md: each promise names tests that exist."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
PAGE = ROOT / "docs" / "explanation" / "guarantees.md"

_TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")


def problems(page: str) -> list[str]:
    """What is wrong with the page; nothing when each promise names tests that are there."""
    found = []
    for promise, rest in re.findall(r"^- \*\*([^*]+)\*\*\n((?:  .+\n?)*)", page, re.MULTILINE):
        if not _TEST.search(rest):
            found.append(f"shown by nothing: {promise}")
    found += [f"no such test: {file}::{test}" for file, test in _TEST.findall(page) if test not in _names(ROOT / file)]
    found += [f"not a test: {loose}" for loose in re.findall(r"`tests/[^`]*\.py[^`]*`", page) if not _TEST.match(loose)]
    return found


@cache
def _names(file: Path) -> set[str]:
    """The tests of a file; none if it is not there."""
    tree = ast.parse(file.read_text()) if file.is_file() else ast.Module([], [])
    kinds = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    return {one.name for one in tree.body if isinstance(one, kinds) and one.name.lower().startswith("test")}


def test_every_promise_names_tests_that_exist() -> None:
    page = PAGE.read_text()
    assert problems(page) == []
    assert len(_TEST.findall(page)) > 50


GOOD = "- **It holds.**\n  `tests/checks/test_guarantees_page.py::test_every_promise_names_tests_that_exist`\n"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("- **It holds.**\n  We are careful.\n", "shown by nothing: It holds."),
        (GOOD + "- **So does\n  that.**\n", "shown by nothing: So does\n  that."),
        (GOOD.replace("that_exist", "that_do_not"), "no such test: tests/checks/test_guarantees_page.py::"),
        (GOOD.replace("checks", "nowhere"), "no such test: tests/nowhere/test_guarantees_page.py::"),
        (GOOD + "`tests/checks/test_guarantees_page.py`\n", "not a test: `tests/checks/test_guarantees_page.py`"),
    ],
)
def test_a_page_that_promises_too_much_is_refused(text: str, problem: str) -> None:
    assert problems(GOOD) == []
    assert any(found.startswith(problem) for found in problems(text))
