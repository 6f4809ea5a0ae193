"""Whatever an adapter is fed, in whatever order, its stream is legal; and the guard says the same as the reference."""

from typing import Any

from ag_ui.core import BaseEvent, Event, Interrupt
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from flows.llm.tools import naming
from perdure.agui.adapter import Adapter, Opening, sequence_of
from perdure.agui.ordering import IllegalOrder, OrderingGuard
from runs.events.types import EventType, RunEvent
from tests.agui.adapter.readers import HISTORY
from tests.agui.adapter.story import RUN, entry, frame, reply, reset
from tests.agui.adapter.wire import on_the_wire, violation

MANY = settings(
    max_examples=1_000 if settings.get_current_profile_name() == "long" else 60, deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)  # fmt: skip

_STEPS = ["a", "a #2", "b", naming.plan_step("a", 1), naming.tool_step("a", 1, 1, "add"), "b: add#1.2: approval"]
_DATA: list[Any] = [
    "x", "", 7, None, {}, {"type": "text", "text": "x"}, {"type": "text", "text": None},
    {"type": "reasoning", "text": "r"},
    {"type": "tool_call", "id": "1", "name": "add", "arguments": "{"},
    {"type": "tool_call", "id": "", "name": "", "arguments": ""}, {"type": "tool_call", "id": 1},
]  # fmt: skip
_OUTPUTS: list[Any] = [
    None, "x", "xx", {"text": "xy"}, [], [{"problem": "no"}], reply("xx", "r", [("1", "add", {"a": 1})]), reply(),
    reply("x", "", [("1", "add", {}), ("1", "add", {})]), {"decision": "deny", "answers": []},
    {"pending_calls": [{"id": "1"}, 3]},
]  # fmt: skip
_PATCHES: list[list[dict[str, Any]]] = [[{"op": "add", "path": "/x", "value": 1}], [{"op": "remove", "path": "/x"}], []]
_STEP_TYPES = [
    EventType.STEP_START, EventType.STEP_COMPLETE, EventType.STEP_COMPLETE, EventType.STEP_FAIL, EventType.STEP_RETRY,
    EventType.STEP_CANCEL, EventType.STEP_SKIP,
]  # fmt: skip
_RUN_TYPES = [
    EventType.RUN_START, EventType.RUN_WAIT, EventType.RUN_WAIT, EventType.RUN_RESUME, EventType.RUN_COMPLETE,
    EventType.RUN_FAIL, EventType.RUN_CANCEL, EventType.RUN_RETRY, EventType.RUN_PROGRESS, EventType.RUN_RECOVER,
]  # fmt: skip
_QUESTION_TYPES = [EventType.QUESTION_ASK, EventType.QUESTION_ASK, EventType.QUESTION_ANSWER, EventType.QUESTION_EXPIRE]

_epochs = st.integers(1, 2)
_steps, _attempts, _small = st.sampled_from(_STEPS), st.integers(1, 3), st.integers(0, 4)


_NUMBERS = st.sampled_from([1, 1, 1, 1, 1, 0, -2, 5])
"""How far an event's sequence is from the last one: some repeat a number, some skip one."""


@st.composite
def _frames(draw: st.DrawFn) -> RunEvent:
    return frame(draw(_steps), draw(_small), draw(st.sampled_from(_DATA)), draw(_attempts), draw(_epochs))


@st.composite
def _resets(draw: st.DrawFn) -> RunEvent:
    return reset(draw(_steps), draw(_attempts), draw(_epochs), **draw(st.sampled_from([{}, {}, {"truncated": 2}])))


@st.composite
def _of_steps(draw: st.DrawFn) -> RunEvent:
    kind = draw(st.sampled_from(["run", "stream", "sleep"]))
    data = {"output": draw(st.sampled_from(_OUTPUTS)), "frames": draw(_small), "kind": kind}
    attempt = draw(st.one_of(st.none(), _attempts))
    return entry(draw(_NUMBERS), draw(st.sampled_from(_STEP_TYPES)), draw(_steps), attempt, **data)


@st.composite
def _of_runs(draw: st.DrawFn) -> RunEvent:
    data = {"output": draw(st.sampled_from(_OUTPUTS)), "error": {"type": "E", "message": "m"}, "current": 1}
    return entry(draw(_NUMBERS), draw(st.sampled_from(_RUN_TYPES)), **data)


@st.composite
def _of_questions(draw: st.DrawFn) -> RunEvent:
    data = {"question": draw(st.sampled_from("pq")), "kind": "input", "digest": draw(st.sampled_from("de"))}
    return entry(draw(_NUMBERS), draw(st.sampled_from(_QUESTION_TYPES)), draw(_steps), None, **data)


@st.composite
def _of_state(draw: st.DrawFn) -> RunEvent:
    operations: tuple[list[dict[str, Any]], ...] = (
        [{"op": "add", "path": "/x", "value": 1}],
        [{"op": "remove", "path": "/x"}],
        [],
    )
    return entry(draw(_NUMBERS), EventType.STATE_PATCH, patch=draw(st.sampled_from(operations)))


def _any_event() -> st.SearchStrategy[RunEvent]:
    often = [_frames(), _frames(), _frames(), _of_steps(), _of_steps()]
    return st.one_of(*often, _resets(), _of_runs(), _of_questions(), _of_state())


def _numbered(event: RunEvent, after: int) -> RunEvent:
    if event.sequence is None:
        return event
    return entry(max(1, after + event.sequence), event.type, event.step, event.attempt, **event.data)


_INTERRUPTS = st.sampled_from([(), (Interrupt(id="i", reason="x"),), (Interrupt(id="i", reason="x"),) * 2])


@MANY
@given(
    st.lists(st.one_of(st.none(), _any_event()), max_size=40), st.sampled_from(["", "1.0"]), _INTERRUPTS, st.booleans()
)
def test_no_sequence_of_events_makes_an_illegal_stream(
    events: list[RunEvent | None], version: str, interrupts: tuple[Interrupt, ...], snapshots: bool
) -> None:
    adapter, told, guard = Adapter(RUN, HISTORY, {}), list[BaseEvent](), OrderingGuard()
    for number, event in enumerate(events):
        if event is None:
            told += adapter.begin(Opening("t", f"r{number}", protocol_version=version, snapshots=snapshots))
        else:
            told += adapter.feed(_numbered(event, adapter.sequence), interrupts)
        assert len(adapter.marks) == len(set(adapter.marks))
    told += adapter.fail("X", "over")
    wire = on_the_wire(told)
    assert violation(wire) == ""
    assert not adapter.is_open
    for one in told:
        guard.check(one)


@MANY
@given(st.lists(_any_event(), max_size=30), st.integers(0, 60), st.lists(_any_event(), max_size=20))
def test_whatever_came_before_and_comes_after_a_cut_the_stream_is_legal(
    before: list[RunEvent], cut: int, after: list[RunEvent]
) -> None:
    first, told, log = Adapter(RUN, HISTORY, {}), list[BaseEvent](), list[RunEvent]()
    told += first.begin(Opening("t", "r"))
    marks = list(first.marks)
    for event in before:
        numbered = _numbered(event, first.sequence)
        if not first.is_open:
            break
        if numbered.sequence and numbered.sequence > first.sequence:
            log.append(numbered)
        told += first.feed(numbered)
        marks += first.marks
    cut = min(cut, len(told) - 1)
    second = Adapter(RUN, HISTORY, {})
    second.begin(Opening("t", "r"))
    reached = sequence_of(marks[cut])
    for event in log:
        if (event.sequence or 0) <= reached:
            second.feed(event)
    if not second.is_open:
        return  # the cut is behind the terminal event
    told = told[: cut + 1] + second.restore(marks[cut])
    for event in [one for one in log if (one.sequence or 0) > reached] + after:
        told += second.feed(_numbered(event, second.sequence) if event in after else event)
    assert violation(on_the_wire(told)) == ""


_EVENTS: TypeAdapter[BaseEvent] = TypeAdapter(Event)
_IDS = {"messageId": "m", "toolCallId": "c", "stepName": "s", "subagentRunId": "u", "runId": "r", "threadId": "t"}
_FIELDS: dict[str, dict[str, Any]] = {
    "RUN_STARTED": {}, "RUN_FINISHED": {}, "RUN_ERROR": {"message": ""}, "TEXT_MESSAGE_START": {},
    "TEXT_MESSAGE_CONTENT": {"delta": ""}, "TEXT_MESSAGE_END": {}, "REASONING_START": {}, "REASONING_END": {},
    "REASONING_MESSAGE_START": {"role": "reasoning"}, "REASONING_MESSAGE_CONTENT": {"delta": ""},
    "REASONING_MESSAGE_END": {}, "TOOL_CALL_START": {"toolCallName": "n"}, "TOOL_CALL_ARGS": {"delta": ""},
    "TOOL_CALL_END": {}, "STEP_STARTED": {}, "STEP_FINISHED": {}, "SUBAGENT_STARTED": {"name": "n"},
    "SUBAGENT_FINISHED": {}, "SUBAGENT_ERROR": {"message": ""}, "CUSTOM": {"name": "n", "value": None},
}  # fmt: skip


@st.composite
def _protocol_event(draw: st.DrawFn) -> BaseEvent:
    kind = draw(st.sampled_from(sorted(_FIELDS)))
    ids = {name: short + draw(st.sampled_from(["1", "1", "1", "2"])) for name, short in _IDS.items()}
    if not kind.startswith("SUBAGENT"):
        del ids["subagentRunId"]
    return _EVENTS.validate_python({"type": kind} | ids | _FIELDS[kind])


@MANY
@given(st.lists(_protocol_event(), max_size=25))
def test_the_guard_lets_through_just_what_the_reference_takes(events: list[BaseEvent]) -> None:
    guard, passed = OrderingGuard(), list[BaseEvent]()
    for event in events:
        is_legal = violation(on_the_wire([*passed, event])) == ""
        try:
            guard.check(event)
        except IllegalOrder:
            assert not is_legal, (passed, event)
        else:
            assert is_legal, (passed, event)
            passed.append(event)
