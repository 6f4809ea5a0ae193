import sys

import pytest

from benchmarks.programs import Program

CODE = """
from benchmarks.answering import answer_all
print("a library's own line")
answer_all({"double": lambda number: [number, number]})
"""


def test_an_answer_is_told_from_other_lines() -> None:
    program = Program(sys.executable, "-c", CODE)
    try:
        assert [program.ask("double", number=3), program.ask("double", number=4)] == [[3, 3], [4, 4]]
    finally:
        program.close()
    assert program.process.returncode == 0


def test_a_program_that_fails_says_what_it_was_asked(capfd: pytest.CaptureFixture[str]) -> None:
    program = Program(sys.executable, "-c", CODE)
    with pytest.raises(RuntimeError, match="ended with 1 while asked for triple"):
        program.ask("triple", number=3)
    program.close()
    assert "KeyError: 'triple'" in capfd.readouterr().err
