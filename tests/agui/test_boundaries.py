"""Whoever looks for the boundaries of a turn, by its rows or by telling it, finds the same ones."""

from typing import Any
from uuid import uuid4

from hypothesis import given
from hypothesis import strategies as st

from perdure.agui.adapter import Adapter
from perdure.agui.boundaries import RELEVANT, Boundaries
from runs.events.types import EventType, RunEvent

QUESTIONS = ("q1", "q2", "q3")


@st.composite
def events(draw: st.DrawFn) -> list[tuple[EventType, dict[str, Any]]]:
    """What a log may hold, and what it may not: answers to nobody, ends twice."""
    drawn: list[tuple[EventType, dict[str, Any]]] = []
    for kind in draw(st.lists(st.sampled_from([*RELEVANT, EventType.LOG_WRITE, EventType.STEP_START]), max_size=25)):
        data: dict[str, Any] = {"reason": ""}
        if kind.startswith("question:"):
            data = {"question": draw(st.sampled_from(QUESTIONS)), "decision": "approve"}
        if kind == EventType.QUESTION_ASK:
            data |= {"quorum": draw(st.integers(1, 3)), "title": "?", "kind": "approval", "digest": "d" * 64}
        drawn.append((kind, data))
    return drawn


@given(events())
def test_the_rows_and_the_adapter_agree(log: list[tuple[EventType, dict[str, Any]]]) -> None:
    found, adapter, told = Boundaries(), Adapter(uuid4()), []
    for sequence, (kind, data) in enumerate(log, start=1):
        step = "s" if kind.startswith(("question:", "step:")) else None
        adapter.feed(RunEvent(kind, uuid4(), data, sequence=sequence, step=step))
        if adapter.boundary is not None and adapter.boundary not in told:
            told.append(adapter.boundary)
        if kind in RELEVANT:
            found.feed(sequence, kind, data)
        assert found.passed == told
        assert not found.has_gone_on or found.last < sequence or not found.passed


def test_reminders_are_no_sign_that_it_went_on() -> None:
    found = Boundaries()
    log: list[tuple[EventType, dict[str, Any]]] = [
        (EventType.QUESTION_ASK, {"question": "q", "quorum": 2}), (EventType.RUN_WAIT, {}),
    ]  # fmt: skip
    for sequence, (kind, data) in enumerate(log, start=1):
        found.feed(sequence, kind, data)
    found.feed(3, EventType.QUESTION_REMIND, {"question": "q"})
    found.feed(4, EventType.QUESTION_ANSWER, {"question": "q"})  # another one is needed
    assert (found.passed, found.has_gone_on, found.first_after(0), found.first_after(2)) == ([2], False, 2, None)
    found.feed(5, EventType.QUESTION_ANSWER, {"question": "q"})
    assert found.has_gone_on
