"""What Claude Code says, in lines as it writes them, and what it is told."""

from typing import Any

import pytest

from flows.agents.commanding.claude_code import ClaudeCode
from flows.agents.commanding.errors import CommandMisspoke
from flows.agents.commanding.protocol import InSession, Order, Question, Reply, Result, Said, Spent, Wanted, parse
from providers.replies import ReasoningDelta, TextDelta, ToolCallDelta, Usage


def said(*lines: dict[str, Any]) -> list[Said]:
    claude = ClaudeCode()
    return [one for line in lines for one in claude.read(line)]


def event(**event: Any) -> dict[str, Any]:
    return {"type": "stream_event", "event": event, "parent_tool_use_id": None, "session_id": "s", "uuid": "u"}


def assistant(id: str, *blocks: dict[str, Any], parent: str | None = None) -> dict[str, Any]:
    return {"type": "assistant", "message": {"id": id, "content": list(blocks)}, "parent_tool_use_id": parent}


def test_pieces_are_shown_and_the_whole_message_after_them_is_not_shown_again() -> None:
    tool = {"type": "tool_use", "id": "t1", "name": "Bash", "input": {}}
    found = said(
        {"type": "system", "subtype": "init", "session_id": "s1", "tools": []},
        event(type="message_start", message={"id": "m1"}),
        event(type="content_block_delta", index=0, delta={"type": "thinking_delta", "thinking": "hm"}),
        event(type="content_block_delta", index=1, delta={"type": "text_delta", "text": "Hel"}),
        event(type="content_block_delta", index=1, delta={"type": "text_delta", "text": "lo"}),
        event(type="content_block_start", index=2, content_block=tool),
        event(type="content_block_delta", index=2, delta={"type": "input_json_delta", "partial_json": '{"a"'}),
        event(type="message_stop"), assistant("m1", {"type": "text", "text": "Hello"}, tool),
        assistant("m2", {"type": "text", "text": "whole"}, tool | {"input": {"a": 1}}),
        assistant("m3", {"type": "text", "text": "of a sub-agent"}, parent="t1"),
    )  # fmt: skip
    assert found == [
        InSession("s1"), ReasoningDelta(text="hm"), TextDelta(text="Hel"), TextDelta(text="lo"),
        ToolCallDelta(index=2, id="t1", name="Bash", arguments='{"a"'), TextDelta(text="whole"),
        ToolCallDelta(index=1, id="t1", name="Bash", arguments='{"a": 1}'),
    ]  # fmt: skip


def test_a_result_tells_what_was_used() -> None:
    usage = {"input_tokens": 2, "cache_read_input_tokens": 30, "cache_creation_input_tokens": 4, "output_tokens": 5}
    line = {"type": "result", "subtype": "success", "is_error": False, "result": "ok", "session_id": "s2",
            "usage": usage, "total_cost_usd": 0.25, "modelUsage": {"claude-x": {}}}  # fmt: skip
    spent = Spent(Usage(input_tokens=36, output_tokens=5, cached_tokens=30), "claude-x", 0.25)
    assert said(line) == [InSession("s2"), spent, Result("done", "ok", None)]


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ({"subtype": "error_max_turns", "is_error": True}, "error_max_turns"),
        ({"subtype": "success", "is_error": True, "result": "API Error: 529"}, "API Error: 529"),
        ({"subtype": "error_during_execution", "is_error": True, "errors": ["No conversation found"]}, "No convers"),
    ],
)  # fmt: skip
def test_a_result_that_is_an_error_says_which(line: dict[str, Any], error: str) -> None:
    last = said({"type": "result", **line})[-1]
    assert isinstance(last, Result)
    assert (last.status, last.error[:10]) == ("error", error[:10])


@pytest.mark.parametrize(
    ("request_", "level"),
    [
        ({"tool_name": "Read"}, "reads"), ({"tool_name": "Edit"}, "edits"), ({"tool_name": "Bash"}, "runs"),
        ({"tool_name": "mcp__x__y"}, "runs"), ({"tool_name": "Read", "blocked_path": "/etc"}, "runs"),
        ({"tool_name": "Write", "decision_reason_type": "workingDir"}, "runs"),
    ],
)  # fmt: skip
def test_a_request_is_as_far_as_it_reaches(request_: dict[str, Any], level: str) -> None:
    request = {"subtype": "can_use_tool", "input": {"a": 1}} | request_
    (wanted,) = said({"type": "control_request", "request_id": "r1", "request": request})
    assert wanted == Wanted(id="r1", tool=request["tool_name"], input={"a": 1}, level=level)


def test_its_questions_are_questions() -> None:
    def ask(*questions: dict[str, Any]) -> Said:
        request = {"subtype": "can_use_tool", "tool_name": "AskUserQuestion", "input": {"questions": list(questions)}}
        (found,) = said({"type": "control_request", "request_id": "r1", "request": request})
        return found

    one = {"question": "Which?", "options": [{"label": "a"}, {"label": "b"}, {"label": "a"}], "multiSelect": False}
    assert ask(one) == Question(id="r1", text="Which?", choices=("a", "b"))
    assert ask(one | {"multiSelect": True}) == Question(id="r1", text="Which?\n\n- a\n- b")
    both = ask(one, {"question": "And?", "options": []})
    assert isinstance(both, Question)
    assert (both.choices, both.text.count("?")) == ((), 2)
    assert ask() == Question(id="r1", text="?")


@pytest.mark.parametrize(
    "line",
    [
        {}, {"type": 7}, {"type": "assistant"}, {"type": "assistant", "message": []}, {"type": "stream_event"},
        {"type": "assistant", "message": {"id": [], "content": [1, {"text": 7}]}}, event(type="content_block_delta"),
        event(type="content_block_delta", index={}, delta={"partial_json": "x"}), {"type": "control_request"},
        {"type": "control_request", "request": {"subtype": "hook_callback"}}, {"type": "system", "subtype": "init"},
    ],
)  # fmt: skip
def test_lines_of_another_form_are_of_no_concern(line: dict[str, Any]) -> None:
    assert said(line) == []


def test_what_people_decided_is_told_in_a_new_turn() -> None:
    def told(**reply: Any) -> str:
        order = Order(instruction="Do it.", system="S", session="s1", again=True, replies=(Reply(**reply),))
        (line,) = ClaudeCode().opening(order)
        return str(line["message"]["content"][0]["text"])

    call = Wanted(id="1", tool="Bash", input={"command": "make"})
    assert "It is approved. Make exactly this call again" in told(asked=call, decision="approve")
    assert "people changed" not in told(asked=call, decision="approve", input={"command": "x"})
    assert "not approved: too late" in told(asked=call, decision="deny", reason="too late")
    answered = told(asked=Question(id="2", text="Which?"), decision="answer", text="this one")
    assert "You asked: Which?\n\nPeople answered: this one" in answered


def test_a_session_that_is_a_path_or_an_option_is_refused() -> None:
    for session in ("../x", "/etc/x.jsonl", "-p", "a b", "x" * 300):
        with pytest.raises(CommandMisspoke):
            ClaudeCode().argv(Order(instruction="", session=session))
    assert "--resume=0f3a-9" in ClaudeCode().argv(Order(instruction="", session="0f3a-9"))


def test_a_persona_too_long_for_an_argument_is_told_with_the_instruction() -> None:
    order = Order(instruction="Do it.", system="x" * 200_000)
    assert max(map(len, ClaudeCode().argv(order))) < 1000
    (line,) = ClaudeCode().opening(order)
    assert line["message"]["content"][0]["text"] == order.system + "\n\nDo it."


def test_lines_that_are_no_objects_are_passed_over_and_broken_ones_are_not() -> None:
    assert [parse(line) for line in (b"npm warn", b"[1]", b"7", b' {"a": 1}')] == [None, None, None, {"a": 1}]
    for broken in (b"{", b'{"a": NaN}', b'{"a": 1e999}', b'{"a":' * 10_000, b'{"\xff": 1}', b"{" + b"9" * 5000):
        with pytest.raises(CommandMisspoke):
            parse(broken)
