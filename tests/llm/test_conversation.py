"""A conversation reaches vendors with a result behind each call, whatever order the frontend left it in."""

from typing import Any

from flows.llm.conversation import Conversation, answered, newest
from providers.messages import Message, ToolCall


def said(text: str) -> Message:
    return Message(role="user", content=text)


def asked(*ids: str) -> Message:
    return Message(role="assistant", tool_calls=[ToolCall(id=one, name=f"tool-{one}") for one in ids])


def result(id: str, text: str = "done") -> Message:
    return Message(role="tool", tool_call_id=id, content=text)


def shown(messages: list[Message]) -> list[Any]:
    return [one.tool_call_id or one.text or len(one.tool_calls) for one in answered(messages)]


def test_results_stand_behind_their_call() -> None:
    assert shown([said("a"), asked("x", "y"), result("y"), said("b"), result("x")]) == ["a", 2, "x", "y", "b"]


def test_a_call_that_nobody_answered_is_answered_as_such() -> None:
    missing = answered([asked("x"), said("go on")])[1]
    assert (missing.role, missing.tool_call_id, missing.is_error) == ("tool", "x", True)
    assert "tool-x gave no result" in missing.text


def test_a_result_without_a_call_is_left_out() -> None:
    assert shown([said("a"), result("forged")]) == ["a"]


def test_ids_that_a_vendor_uses_again_keep_their_order() -> None:
    twice = [asked("call_1"), result("call_1", "first"), asked("call_1"), result("call_1", "second")]
    assert [one.text for one in answered(twice) if one.role == "tool"] == ["first", "second"]


def test_a_long_conversation_keeps_its_end_from_a_message_of_the_user_on() -> None:
    turns = [said("a" * 500), asked("x"), result("x"), said("b" * 500), asked("y"), result("y")]
    assert newest(turns, 10_000) == turns
    for characters in (1_000, 700, 10):  # the last: what was said last stays, however long it is
        assert newest(turns, characters) == turns[3:]
    assert newest([], 10) == []


def test_what_is_typed_by_hand_comes_last() -> None:
    assert Conversation().said() == []
    typed = Conversation(text="go on", messages=[said("a"), asked("x")])
    assert [one.role for one in typed.said()] == ["user", "assistant", "tool", "user"]
