"""Broken files: each is refused with its file, its line, its step and a remedy, and none with a traceback.

The first line of each file says what is expected: `# <line>: <words>`, or `# <file>:<line>: <words>`.
"""

import io
import re
from pathlib import Path

import pytest
from django.core.management import call_command

from flows.agents import files
from flows.agents.errors import InvalidFlow

FOLDER = Path(__file__).parent / "broken"
BROKEN = sorted(path for path in FOLDER.glob("*.yaml") if path.read_text(encoding="utf-8").startswith("# "))


def expected(path: Path) -> tuple[str, str]:
    """Where the problem is, and its words."""
    told = path.read_text(encoding="utf-8").partition("\n")[0].removeprefix("# ")
    place, words = re.fullmatch(r"((?:[^ :]+:)?\d+): (.*)", told).groups()  # type: ignore[union-attr]
    return (f"{FOLDER}/{place}" if ":" in place else f"{path}:{place}"), words


def test_there_are_sixty_of_them() -> None:
    assert len(BROKEN) >= 60


@pytest.mark.parametrize("path", BROKEN, ids=lambda path: path.stem)
def test_a_broken_file_is_told_with_file_line_step_and_remedy(path: Path) -> None:
    with pytest.raises(InvalidFlow) as caught:
        files.load_file(path)
    told = [one.told(caught.value.origin) for one in caught.value.problems]
    place, words = expected(path)
    assert any(one.startswith(f"{place}: ") and words in one for one in told), told
    assert all(one.remedy.endswith(".") and len(one.remedy) > 5 for one in caught.value.problems)


def test_the_command_tells_all_of_them_a_line_each_and_exits_with_1() -> None:
    err = io.StringIO()
    with pytest.raises(SystemExit) as caught:
        call_command("flow", "check", str(FOLDER), stderr=err)
    assert caught.value.code == 1
    lines = err.getvalue().splitlines()
    assert "Traceback" not in err.getvalue()
    for path in BROKEN:
        place, words = expected(path)
        assert any(line.startswith(f"{place}: ") and words in line for line in lines), (place, words)
    assert all(re.match(r"[^ ]+\.(yaml|md):\d+: ", line) for line in lines), lines


def test_files_that_are_right_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("flow", "check", str(FOLDER / "fine.yaml"), str(FOLDER / "callee.yaml"))
    assert capsys.readouterr().out == "Nothing is wrong with: fine 1, callee 1.\n"
