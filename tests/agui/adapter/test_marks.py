"""Ids of events: what a client sends of them is read, never trusted."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from perdure.agui.adapter import Adapter, Opening, sequence_of
from perdure.agui.adapter.marks import MAX_CHARACTERS
from perdure.agui.ordering import OrderingGuard
from runs.events.types import EventType
from tests.agui.adapter.readers import HISTORY, Reader
from tests.agui.adapter.story import RUN, Story


def speaking() -> Story:
    story = Story()
    story.write(EventType.RUN_START)
    story.begin("ask")
    for _ in range(3):
        story.emit("ask", {"type": "text", "text": "abc"})
    return story


NONE = ["", "x", "-1", "1f", "1~", "1x1", "\u0661", "9" * 19, "1" + "~a" * MAX_CHARACTERS]
NEVER = [
    "1f1~YXNr,1,1,0,0,0,0,0", "1f1~YXNr,x,1,0,0,0,0,0,0", "1f1~_w,1,1,0,0,0,0,0,0", "1f1~Y,1,1,0,0,0,0,0,0",
    "1f1~YXNr,1,1,1,0,0,0,0,0,a", "7f1",
]  # fmt: skip


@pytest.mark.parametrize("mark", NONE)
def test_what_is_no_mark_is_refused(mark: str) -> None:
    with pytest.raises(ValueError, match="Ask for it from its beginning"):
        sequence_of(mark)


@pytest.mark.parametrize("mark", NEVER)
def test_what_was_never_told_is_refused_and_changes_nothing(mark: str) -> None:
    adapter = Adapter(RUN, HISTORY)
    adapter.begin(Opening("t", "r"))
    adapter.feed(speaking().told[0])
    with pytest.raises(ValueError, match="Ask for it from its beginning"):
        adapter.restore(mark)
    assert not any(adapter.open_items.values())


def test_they_have_no_character_that_urls_headers_and_their_readers_mind() -> None:
    marks = [one.mark for one in Reader().read(speaking().told).told]
    assert all(set(mark) <= set("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ~,_-") for mark in marks)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 2), st.lists(st.integers(0, 40), min_size=6, max_size=6), st.integers(0, 31))
def test_who_makes_one_up_hears_a_legal_stream_all_the_same(epoch: int, numbers: list[int], flags: int) -> None:
    story = speaking()
    story.end("ask", output="abcabcabc")
    adapter = Adapter(RUN, HISTORY)
    guard = OrderingGuard()
    guard.check(adapter.begin(Opening("t", "r"))[0])
    for event in story.log[:2]:
        adapter.feed(event)
    attempt, offset, text, reasoning, skipped, checksum = numbers
    mark = f"2-{skipped}~YXNr,{epoch},{attempt},{offset},{flags},{text},{checksum},{reasoning},{checksum}"
    assert adapter.restore(mark) == []
    guard.assume(adapter.open_items)
    for event in story.told[2:]:
        told = adapter.feed(event)
        for one in (*adapter.left_out, *told):
            guard.check(one)
    for one in adapter.fail("X", "over"):
        guard.check(one)
    assert not guard.is_open
