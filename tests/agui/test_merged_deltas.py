"""Pieces of one text that can be sent at a moment are one event."""

import time

from ag_ui.core import BaseEvent, TextMessageContentEvent, TextMessageEndEvent, ToolCallArgsEvent

from perdure.agui.encoding import Told
from perdure.agui.telling import merge_deltas


def text(message_id: str, delta: str) -> BaseEvent:
    return TextMessageContentEvent(message_id=message_id, delta=delta)


def test_only_neighbours_of_one_text_are_merged_under_the_last_id() -> None:
    events = [
        text("a", "1"), text("a", "2"), text("b", "3"), text("a", "4"), ToolCallArgsEvent(tool_call_id="a", delta="5"),
        ToolCallArgsEvent(tool_call_id="a", delta="6"), TextMessageEndEvent(message_id="a"), text("a", "7"),
    ]  # fmt: skip
    merged = merge_deltas([Told(str(number), event) for number, event in enumerate(events)])
    assert [(one.id, getattr(one.event, "delta", None)) for one in merged] == [
        ("1", "12"), ("2", "3"), ("3", "4"), ("5", "56"), ("6", None), ("7", "7"),
    ]  # fmt: skip
    assert events[0] == text("a", "1")


def test_the_frames_of_a_long_answer_are_merged_at_once() -> None:
    told = [Told(str(number), text("a", "0123456789")) for number in range(100_000)]
    before = time.process_time()
    (one,) = merge_deltas(told)
    assert len(one.event.delta) == 1_000_000  # type: ignore[union-attr]
    assert time.process_time() - before < 10
