"""A thread as models are told it is a conversation that vendors accept, however its turns ended."""

from collections.abc import Callable
from typing import Any

import pytest
from ag_ui.core import (
    AssistantMessage,
    FunctionCall,
    Message,
    ReasoningMessage,
    SystemMessage,
    ToolCall,
    ToolMessage,
    UserMessage,
)
from django.contrib.auth.models import User
from hypothesis import given
from hypothesis import strategies as st

from perdure.agui.model_history import arranged, as_model_message, history_for_models
from perdure.agui.models import Turn
from providers.messages import ImagePart, SignedReasoning, TextPart
from providers.messages import Message as ModelMessage
from runs import jobs
from runs.testing import drain
from tests.agui.conftest import converse
from tests.agui.test_transcript import LOOKS_UP, MAILS, PAINTS, user_says

pytestmark = pytest.mark.usefixtures("transactional_db")


def acceptable(messages: list[ModelMessage]) -> None:
    """What vendors refuse: a call without its one result right behind it, a result of nothing, an empty answer."""
    place = 0
    assert not messages or messages[0].role == "user"
    while place < len(messages):
        message = messages[place]
        assert message.role in ("user", "assistant")
        assert message.content or message.tool_calls
        calls = [call.id for call in message.tool_calls]
        results = messages[place + 1 : place + 1 + len(calls)]
        assert [(one.role, one.tool_call_id) for one in results] == [("tool", call) for call in calls]
        assert all(one.tool_name for one in results)
        place += 1 + len(calls)


def roles(messages: list[ModelMessage]) -> list[str]:
    acceptable(messages)
    return [one.role for one in messages]


def result_of(turn: Turn, tool: str, content: str) -> ToolMessage:
    (call,) = [
        call["id"] for data in turn.messages.values_list("data", flat=True) for call in data.get("toolCalls") or ()
        if call["function"]["name"] == tool
    ]  # fmt: skip
    return ToolMessage(id=f"result-{call}", tool_call_id=call, content=content)


def test_the_next_turn_is_told_all_before_it(bob: User, scripted: Callable[..., None]) -> None:
    scripted({"turn": 1, "text": "Let me see.", "tool_calls": [LOOKS_UP]}, {"turn": 2, "text": "It is tea."})
    first = converse(bob, "t1", user_says("What is it?"))
    drain()
    told = history_for_models(first.thread, 10_000, [user_says("Thanks")])
    assert roles(told) == ["user", "assistant", "tool", "assistant", "user"]
    assert told[2].tool_name == "look_up"
    converse(bob, "t1", user_says("Thanks"))
    drain()
    assert {one.status for one in Turn.objects.all()} == {"completed"}


def test_results_of_the_frontend_stand_behind_their_calls(bob: User, scripted: Callable[..., None]) -> None:
    scripted({"turn": 1, "text": "", "tool_calls": [PAINTS, LOOKS_UP]}, {"turn": 2, "text": "{{tool_result}}"})
    first = converse(bob, "t1", user_says("Paint"))
    drain()
    painted = result_of(first, "paint", "It is green.")
    told = history_for_models(first.thread, 10_000, [user_says("And?"), painted])
    assert roles(told) == ["user", "assistant", "tool", "tool", "user"]
    assert told[2].content == "It is green."
    short = history_for_models(first.thread, 10, [painted])
    assert roles(short) == ["user", "assistant", "tool", "tool"]  # a result keeps its call
    went_on = history_for_models(first.thread, 10_000, [user_says("Never mind")])
    assert roles(went_on) == ["user", "assistant", "tool", "tool", "user"]
    assert went_on[2].is_error
    failed = history_for_models(first.thread, 10_000, [painted.model_copy(update={"error": "no paint"})])
    assert (failed[2].is_error, "no paint" in failed[2].text) == (True, True)


def test_a_run_that_was_stopped_in_a_call_leaves_no_call_open(bob: User, scripted: Callable[..., None]) -> None:
    scripted({"turn": 1, "text": "", "tool_calls": [MAILS]})
    first = converse(bob, "t1", user_says("Mail Bob"))
    drain()
    jobs.cancel(first.run_id)  # type: ignore[arg-type]
    drain()
    assert roles(history_for_models(first.thread, 10_000, [user_says("Well?")])) == [
        "user",
        "assistant",
        "tool",
        "user",
    ]


def test_what_is_too_long_loses_whole_turns_from_its_front(bob: User, scripted: Callable[..., None]) -> None:
    scripted({"turn": 1, "text": "x" * 200, "tool_calls": [LOOKS_UP]}, {"turn": 2, "text": "done"})
    for number in range(4):
        turn = converse(bob, "t1", user_says(f"{number}"))
        drain()
    whole = history_for_models(turn.thread, 100_000, [user_says("now")])
    assert len(whole) == 17
    for limit in range(0, sum(len(one.model_dump_json()) for one in whole) + 400, 397):
        told = history_for_models(turn.thread, limit, [user_says("now")])
        assert len(told) % 4 == 1
        assert roles(told)[-1] == "user"
        assert told == whole[-len(told) :]


def test_signed_reasoning_is_kept(bob: User, scripted: Callable[..., None]) -> None:
    scripted({"turn": 1, "text": "done"})
    turn = converse(bob, "t1", user_says("hello"))
    drain()
    signed = SignedReasoning(text="hm", signature="sig", provider="anthropic")
    kept = ModelMessage(role="assistant", content="done", reasoning="hm", signed_reasoning=[signed])
    turn.messages.filter(role="assistant").update(model_message=kept.model_dump())
    assert history_for_models(turn.thread, 10_000)[-1] == kept


def test_parts_that_no_model_takes_are_left_out() -> None:
    content: Any = [
        {"type": "text", "text": "look"}, {"type": "text", "text": ""},
        {"type": "image", "source": {"type": "data", "value": "aGk=", "mimeType": "image/png"}},
        {"type": "image", "source": {"type": "data", "value": "no base64!", "mimeType": "image/png"}},
        {"type": "image", "source": {"type": "url", "value": "https://example.org/a.png"}},
        {"type": "image", "source": {"type": "url", "value": "file:///etc/passwd"}},
        {"type": "image", "source": {"type": "file", "value": "handle"}},
        {"type": "audio", "source": {"type": "url", "value": "https://example.org/a.mp3"}},
    ]  # fmt: skip
    told = as_model_message(UserMessage(id="u", content=content))
    assert told is not None
    assert told.content == [
        TextPart(text="look"), ImagePart(media_type="image/png", data="aGk="), ImagePart(url="https://example.org/a.png")
    ]  # fmt: skip
    for silent in (
        UserMessage(id="u", content=""), UserMessage(id="u", content=content[-1:]), AssistantMessage(id="a"),
        SystemMessage(id="s", content="obey"), ReasoningMessage(id="r", content="hm"),
    ):  # fmt: skip
        assert as_model_message(silent) is None


CALLS = ("a", "b", "c")


def assistant(number: int, text: str, calls: list[str], arguments: str) -> Message:
    made = [ToolCall(id=f"{one}{number}", function=FunctionCall(name="tool", arguments=arguments)) for one in calls]
    return AssistantMessage(id=f"m{number}", content=text, tool_calls=made or None)


@st.composite
def turns_of_messages(draw: st.DrawFn) -> list[list[Message]]:
    """Anything a log or a client could leave: calls without results, results without calls, twice, too late."""
    turns, number = [], 0
    for _ in range(draw(st.integers(0, 4))):
        turn: list[Message] = []
        for _ in range(draw(st.integers(0, 5))):
            number += 1
            kind = draw(st.sampled_from(["user", "assistant", "tool", "reasoning"]))
            if kind == "user":
                turn.append(UserMessage(id=f"m{number}", content=draw(st.sampled_from(["", "hello"]))))
            elif kind == "assistant":
                calls = draw(st.lists(st.sampled_from(CALLS), unique=True))
                arguments = draw(st.sampled_from(["", "{}", "[1]", '{"x": 1', '{"x": 1}']))
                turn.append(assistant(number, draw(st.sampled_from(["", "text"])), calls, arguments))
            elif kind == "tool":
                answered = f"{draw(st.sampled_from(CALLS))}{draw(st.integers(1, number))}"
                turn.append(ToolMessage(id=f"m{number}", tool_call_id=answered, content="result"))
            else:
                turn.append(ReasoningMessage(id=f"m{number}", content="hm"))
        turns.append(turn)
    return turns


@given(turns_of_messages(), st.integers(0, 600))
def test_whatever_is_kept_is_a_conversation_that_vendors_accept(turns: list[list[Message]], limit: int) -> None:
    kept = [[(message, None) for message in turn] for turn in turns]
    told, whole = arranged(kept, limit), arranged(kept, 10**6)
    acceptable(told)
    acceptable(whole)
    assert not told or told == whole[-len(told) :]
