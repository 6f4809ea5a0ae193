"""A page that is loaded anew: what was said in its thread, what goes on, and what people are asked."""

from typing import Any

import pytest
from ag_ui.core import (
    AssistantMessage,
    FunctionCall,
    ReasoningMessage,
    TextInputContent,
    ToolCall,
    ToolMessage,
    UserMessage,
)
from django.contrib.auth.models import User
from django.test import Client

from perdure.agui.hydrating import read_thread
from perdure.agui.message_parts import as_parts
from perdure.agui.models import Turn
from perdure.agui.threads import get_thread
from runs.testing import drain
from tests.agui.conftest import say
from tests.live.logs import write
from tests.live.people import Person, make_person

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def ann(db: None) -> Person:
    return make_person("ann")


def get(person: Person, query: str) -> Any:
    return Client().get(f"/ag-ui/run{query}", headers=person.bearer)


def texts(found: Any) -> list[tuple[str, str]]:
    return [(one["role"], "".join(part["content"] for part in one["parts"])) for one in found["messages"]]


def test_a_thread_is_shown_with_all_that_was_said(ann: Person) -> None:
    for text in ("one", "two"):
        say(ann.user, "t", text)
        drain()
    found = get(ann, "?threadId=t").json()
    assert texts(found) == [
        ("user", "one"), ("assistant", "You said: one"), ("user", "two"), ("assistant", "You said: two"),
    ]  # fmt: skip
    assert (found["activeRun"], found["interrupts"], found["page"]) == (None, None, {"truncated": False})


def test_a_long_thread_is_shown_window_by_window(ann: Person) -> None:
    for text in ("one", "two"):
        say(ann.user, "t", text)
        drain()
    last = get(ann, "?threadId=t&limit=3").json()
    assert [text for _, text in texts(last)] == ["You said: one", "two", "You said: two"]
    assert last["page"]["truncated"]
    first = get(ann, f"?threadId=t&limit=3&before={last['page']['cursor']}").json()
    assert [text for _, text in texts(first)] == ["one"]
    assert first["page"] == {"truncated": False}


def test_a_run_under_way_is_named_and_what_it_says_is_left_to_its_stream(ann: Person) -> None:
    turn = say(ann.user, "t", "one", run_id="r1")
    write(turn.run_id, "run:start")  # type: ignore[arg-type]
    write(turn.run_id, "step:start", step="answer", attempt=1, kind="stream")  # type: ignore[arg-type]
    write(turn.run_id, "step:complete", step="answer", attempt=1, output="so far", frames=1)  # type: ignore[arg-type]
    found = get(ann, "?threadId=t").json()
    assert texts(found) == [("user", "one")]
    assert found["activeRun"] == {"runId": "r1"}
    assert [one.content for one in read_thread(get_thread(ann.user, "t")).messages] == ["one", "so far"]


def test_a_thread_that_waits_for_people_shows_what_it_asks(ann: Person) -> None:
    turn = say(ann.user, "t", "ann", run_id="r1", job="talk-ask")
    drain()
    found = get(ann, "?threadId=t").json()
    assert found["activeRun"] is None
    assert found["interrupts"]["runId"] == "r1"
    (pending,) = found["interrupts"]["pending"]
    assert pending["message"] == "first?"
    binding = pending["metadata"]["tanstack:interruptBinding"]
    assert (binding["interruptId"], binding["interruptedRunId"]) == (pending["id"], "r1")
    assert get(ann, "?threadId=t").json()["interrupts"] == found["interrupts"], "ids are stable"
    assert Turn.objects.get(pk=turn.pk).status == ""


def test_results_of_tools_belong_to_the_message_that_called() -> None:
    call = ToolCall(id="c1", function=FunctionCall(name="find", arguments='{"q":1}'))
    shown = as_parts(
        [
            UserMessage(id="u", content=[TextInputContent(text="Find it")]),
            ReasoningMessage(id="r", content="Hm"),
            AssistantMessage(id="a", content="I look", tool_calls=[call]),
            ToolMessage(id="t", tool_call_id="c1", content="found"),
            ToolMessage(id="t2", tool_call_id="elsewhere", content="no", error="no"),
        ]
    )
    assert shown == [
        {"id": "u", "role": "user", "parts": [{"type": "text", "content": "Find it"}]},
        {
            "id": "a",
            "role": "assistant",
            "parts": [
                {"type": "thinking", "content": "Hm"},
                {"type": "text", "content": "I look"},
                {
                    "type": "tool-call", "id": "c1", "name": "find", "arguments": '{"q":1}', "state": "complete",
                    "output": "found",
                },
                {"type": "tool-result", "toolCallId": "c1", "content": "found", "state": "complete"},
            ],
        },
        {
            "id": "t2",
            "role": "assistant",
            "parts": [
                {"type": "tool-result", "toolCallId": "elsewhere", "content": "no", "state": "error", "error": "no"}
            ],
        },
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("", 400, "INVALID_INPUT"),
        ("?threadId=t&limit=0", 400, "INVALID_INPUT"),
        ("?threadId=t&limit=x", 400, "INVALID_INPUT"),
        ("?threadId=t&before=nothing", 400, "INVALID_INPUT"),
        ("?threadId=unknown", 404, "THREAD_NOT_FOUND"),
        ("?threadId=%00", 404, "THREAD_NOT_FOUND"),
        ("?runId=unknown", 404, "RUN_NOT_FOUND"),
        ("?runId=%00", 404, "RUN_NOT_FOUND"),
    ],
)
def test_what_does_not_fit_is_refused(ann: Person, query: str, status: int, code: str) -> None:
    say(ann.user, "t", "one")
    found = get(ann, query)
    assert (found.status_code, found.json()["error"]["code"]) == (status, code)


def test_a_thread_is_nobody_elses_to_read(ann: Person, stranger: User) -> None:
    say(ann.user, "t", "one")
    assert Client().get("/ag-ui/run?threadId=t").status_code == 401
    reader = make_person("eve")
    mine, nobodys = (get(reader, query) for query in ("?threadId=t", "?threadId=other"))
    assert (mine.status_code, nobodys.status_code) == (404, 404)
