"""A streamed text is whole in every attempt, wherever the attempt before was cut off."""

from typing import Any

import pytest

from examples.repository_report.analysis import measure
from examples.repository_report.job import report_writer
from examples.repository_report.markdown import write_sections
from examples.repository_report.schema import FolderListing

LISTING = FolderListing(folder="/source", paths=["a.py", "b/c.py"], left_out={"binary": 1})
FILES = [measure("a.py", b"import os\n# TODO: more\n\ndef f(x):\n    return x\n"), measure("b/c.py", b"def (\n")]


class Saved:
    """What a step gets as its checkpoint: the state that was saved last, and the way to save one."""

    def __init__(self, last: Any = None) -> None:
        self.last = last
        self.states: list[Any] = []

    async def __call__(self, state: Any) -> None:
        self.states.append(state)


async def test_the_report_is_emitted_in_small_pieces_with_a_checkpoint_after_each_section():
    emitted: list[str] = []
    checkpoint = Saved()
    report = await report_writer(LISTING, FILES)(emitted.append, checkpoint)
    sections = write_sections(LISTING, FILES)
    assert report == "".join(emitted) == "".join(sections)
    assert max(map(len, emitted)) <= 24
    assert checkpoint.states == [{"sections": number} for number in range(1, len(sections) + 1)]


@pytest.mark.parametrize("done", [1, 3, len(write_sections(LISTING, FILES))])
async def test_the_next_attempt_begins_with_what_was_written_and_writes_only_the_rest(done):
    emitted: list[str] = []
    checkpoint = Saved({"sections": done})
    sections = write_sections(LISTING, FILES)
    report = await report_writer(LISTING, FILES)(emitted.append, checkpoint)
    assert emitted[0] == "".join(sections[:done])
    assert report == "".join(emitted) == "".join(sections)
    assert checkpoint.states == [{"sections": number} for number in range(done + 1, len(sections) + 1)]


def test_the_report_says_what_is_left_to_do_and_what_could_not_be_parsed():
    report = "".join(write_sections(LISTING, FILES))
    assert "- `a.py:2` TODO\n" in report
    assert "- `b/c.py` cannot be parsed: invalid syntax" in report
    assert "Left out: 1 binary." in report
