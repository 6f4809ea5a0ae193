"""The guard names what is wrong, and refuses what the official client would throw at."""

import pytest
from ag_ui.core import (
    BaseEvent,
    Interrupt,
    RunErrorEvent,
    RunFinishedEvent,
    RunFinishedInterruptOutcome,
    RunStartedEvent,
    StepStartedEvent,
    TextMessageContentEvent,
    TextMessageStartEvent,
)

from perdure.agui.ordering import IllegalOrder, OrderingGuard

START = RunStartedEvent(thread_id="t", run_id="r")
FINISH = RunFinishedEvent(thread_id="t", run_id="r")
TEXT = TextMessageStartEvent(message_id="m", role="assistant")
TWICE = RunFinishedInterruptOutcome(interrupts=[Interrupt(id="i", reason="x")] * 2)


@pytest.mark.parametrize(
    ("events", "problem"),
    [
        ([FINISH], "RUN_FINISHED comes while no run is open."),
        ([START, START], "RUN_STARTED comes while a run is open."),
        ([START, FINISH, RunStartedEvent(thread_id="u", run_id="s")], "RUN_STARTED is of another thread."),
        ([START, TEXT, TEXT], "TEXT_MESSAGE_START opens text message 'm', which is open."),
        ([START, TextMessageContentEvent(message_id="m", delta="")], "is for text message 'm', which is not open."),
        ([START, StepStartedEvent(step_name="s"), FINISH], "RUN_FINISHED comes while step 's' is open."),
        ([START, RunFinishedEvent(thread_id="t", run_id="s")], "is of another run or thread than its RUN_STARTED."),
        ([START, FINISH.model_copy(update={"outcome": TWICE})], "RUN_FINISHED names an interrupt twice."),
        ([START, RunErrorEvent(message=""), RunErrorEvent(message="")], "RUN_ERROR comes after the run has failed."),
    ],
)
def test_it_names_the_first_event_out_of_order(events: list[BaseEvent], problem: str) -> None:
    guard = OrderingGuard()
    for event in events[:-1]:
        guard.check(event)
    with pytest.raises(IllegalOrder, match=problem.replace(".", r"\.")):
        guard.check(events[-1])


def test_an_event_that_was_refused_counts_as_not_sent() -> None:
    guard = OrderingGuard()
    guard.check(START)
    guard.check(TEXT)
    with pytest.raises(IllegalOrder):
        guard.check(FINISH)
    assert guard.is_open
    guard.check(RunErrorEvent(message="It broke off."))
    guard.check(START)
    guard.check(FINISH)
    assert not guard.is_open


def test_a_stream_that_goes_on_knows_what_is_open() -> None:
    guard = OrderingGuard()
    guard.check(START)
    guard.assume({"text message": ["m"]})
    guard.check(TextMessageContentEvent(message_id="m", delta="x"))
    with pytest.raises(IllegalOrder, match="is open"):
        guard.check(FINISH)
