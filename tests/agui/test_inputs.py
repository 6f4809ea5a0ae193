"""What clients of all generations send, in one form; and questions as interrupts."""

from typing import Any

import pytest
from jsonschema import Draft202012Validator

from hitl.models import Question
from perdure.agui.errors import InvalidInput
from perdure.agui.inputs import RunInput, parse_input, read_run_input
from perdure.agui.interrupts import interrupt_of
from perdure.agui.workflows import Workflow
from tests.agui.asking import body
from tests.agui.door_jobs import SEND


def read(**members: Any) -> RunInput:
    return read_run_input(body("hello") | members)


def test_members_that_the_protocol_does_not_know_are_neither_refused_nor_sent_back() -> None:
    message = {"id": "u1", "role": "user", "content": "hi", "parts": [], "metadata": {"kept": 1}}
    tool = {"name": "a", "description": "b", "parameters": {}, "render": "x"}
    got = read(messages=[message], tools=[tool], data={"x": 1}, more=True)
    assert got.messages[0].model_dump(by_alias=True) == {
        "id": "u1", "role": "user", "content": "hi", "metadata": {"kept": 1},
    }  # fmt: skip
    assert set(got.echo) == {
        "threadId", "runId", "protocolVersion", "state", "tools", "context", "forwardedProps",
    }  # fmt: skip
    assert got.echo["tools"] == [{"name": "a", "description": "b", "parameters": {}}]


def test_absent_optionals_and_nulls_are_the_same() -> None:
    got = read_run_input({"messages": [], "resume": None, "context": None, "tools": None, "forwardedProps": None})
    assert (got.resume, got.context, got.tools, got.props, got.protocol_version) == ([], [], [], {}, "")
    assert len(got.thread_id) == len(got.run_id) == 36


def test_the_same_body_has_the_same_digest_whatever_its_order() -> None:
    sent = body("hello")
    assert read_run_input(sent).digest == read_run_input(dict(reversed(sent.items()))).digest
    assert read_run_input(sent).digest != read_run_input(sent | {"state": {"a": 1}}).digest


def test_what_is_meant_for_the_platform_is_taken_out_of_the_properties() -> None:
    got = read(forwardedProps={"job": "j", "input": {"secret": 1}, "team": "t", "theme": "dark"})
    assert (got.job, got.input, got.team, got.props) == ("j", {"secret": 1}, "t", {"theme": "dark"})
    assert "secret" not in str(got.echo)


@pytest.mark.parametrize(
    ("payload", "answer"),
    [
        ({"type": "approve"}, {"approved": True}),
        ({"type": "approve", "toolResults": [{"callId": "c", "result": {"a": 1}}]},
         {"approved": True, "editedArgs": {"a": 1}}),
        ({"type": "reject", "reason": "no"}, {"approved": False, "reason": "no"}),
        ({"type": "reject"}, {"approved": False, "reason": "User rejected tool calls"}),
        ({"approved": True}, {"approved": True}),
    ],
)  # fmt: skip
def test_an_older_answer_is_understood(payload: Any, answer: Any) -> None:
    (entry,) = read(resume={"interruptId": "x", "payload": payload}).resume
    assert (entry.interrupt_id, entry.status, entry.payload) == ("x", "resolved", answer)


@pytest.mark.parametrize(
    ("part", "kind", "source"),
    [
        ({"mimeType": "image/png", "data": "aaa"}, "image", "data"),
        ({"mimeType": "audio/wav", "url": "https://a.example/b"}, "audio", "url"),
        ({"mimeType": "application/pdf", "id": "f1"}, "document", "file"),
    ],
)
def test_an_older_binary_part_is_understood(part: Any, kind: str, source: str) -> None:
    message = {"id": "u1", "role": "user", "content": [{"type": "binary", **part}]}
    (got,) = read(messages=[message]).messages
    assert (got.content[0].type, got.content[0].source.type) == (kind, source)  # type: ignore[union-attr, index]


@pytest.mark.parametrize(
    ("entry", "workflow"),
    [
        ({"type": "workflow_definition", "data": {"workflow_name": "w", "version": "2"}}, Workflow("w", "2")),
        ({"type": "workflowDefinition", "workflowName": "w", "workflowContext": {"a": 1}},
         Workflow("w", given={"a": 1})),
        ({"type": "workflow_inline", "data": {"workflow": {"type": "x"}}}, Workflow(document={"type": "x"})),
        ({"type": "workflowInline", "workflow": "type: x"}, Workflow(document="type: x")),
    ],
)  # fmt: skip
def test_a_workflow_is_named_in_both_forms(entry: Any, workflow: Workflow) -> None:
    got = read(context=[entry, {"description": "page", "value": "7"}])
    assert got.workflow == workflow
    assert [one.description for one in got.context] == ["page"]


def test_custom_context_is_context() -> None:
    got = read(context=[{"type": "custom", "name": "page", "data": {"n": 7}}])
    assert (got.context[0].description, got.context[0].value) == ("page", '{"n": 7}')


def test_a_message_of_a_socket_is_read_as_strictly() -> None:
    assert parse_input(b'{"threadId": "t", "runId": "r", "messages": []}').thread_id == "t"
    with pytest.raises(InvalidInput):
        parse_input(b"[]")


def test_the_schema_of_an_answer_holds_that_of_the_arguments() -> None:
    question = Question(kind="tool_call", title="Call send?", schema=SEND, digest="d" * 64)
    shown = interrupt_of(question, "call-1")
    assert (shown.reason, shown.tool_call_id, shown.id) == ("tool_call", "call-1", f"{question.id}.{'d' * 12}")
    schema = Draft202012Validator(shown.response_schema)
    assert schema.is_valid({"approved": True, "editedArgs": {"to": "ann"}})
    assert not schema.is_valid({"approved": True, "editedArgs": {"to": "far too long"}})
    assert not schema.is_valid({"editedArgs": {"to": "ann"}})
