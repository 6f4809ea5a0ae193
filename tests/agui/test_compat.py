"""The shape of events that older frontends know."""

from typing import Any

from ag_ui.core import (
    Interrupt,
    RunErrorEvent,
    RunFinishedCancelledOutcome,
    RunFinishedEvent,
    RunFinishedInterruptOutcome,
)

from flows.llm.tools import naming
from perdure.agui.compat import OlderShape
from runs.events.types import EventType
from tests.agui.adapter.readers import Reader
from tests.agui.adapter.story import AT, Story, reply

CALL = ("call_1", "SLACK___post", {"text": "hi"})
MILLISECONDS = AT.timestamp() * 1000


def shapes(story: Story) -> list[dict[str, Any]]:
    reader = Reader().read(story.told)
    older = OlderShape("r1", "notify", lambda: reader.adapter.messages)
    return [shape for event in reader.events for shape in older.of(event)]


def of_type(told: list[dict[str, Any]], *kinds: str) -> list[dict[str, Any]]:
    return [event for event in told if event["type"] in kinds]


def answered() -> Story:
    story = Story()
    story.begin("ask")
    story.emit("ask", {"type": "reasoning", "text": "Hm"})
    story.end("ask", output=reply("Wait.", "Hm", [CALL]))
    return story


def test_steps_texts_calls_and_state_have_the_older_members() -> None:
    story = answered()
    story.perform(naming.tool_step("ask", 1, 1, "SLACK___post"), "posted")
    story.write(EventType.STATE_PATCH, patch=[{"op": "add", "path": "/x", "value": 1}])
    story.write(EventType.RUN_PROGRESS, current=1, total=2, message="")
    story.write(EventType.RUN_COMPLETE, output={"text": "Wait."})
    told = shapes(story)
    assert told[0] == {"type": "RUN_STARTED", "runId": "r1", "threadId": "t"}
    assert told[1] == {"type": "STEP_STARTED", "stepId": "ask", "stepName": "ask", "timestamp": MILLISECONDS}
    (call,), (result,) = of_type(told, "TOOL_CALL_START"), of_type(told, "TOOL_CALL_RESULT")
    assert call["toolCallName"] == "SLACK/post"
    assert result == {
        "type": "TOOL_CALL_RESULT", "toolCallId": call["toolCallId"], "result": "posted", "timestamp": MILLISECONDS
    }  # fmt: skip
    assert of_type(told, "STATE_SNAPSHOT")[0]["snapshot"] == {"x": 1}
    end = told[-1]
    assert (end["runId"], end["outcome"], end["result"]) == ("r1", "success", {"text": "Wait."})
    assert isinstance(end["timestamp"], float)


def test_what_older_frontends_do_not_know_comes_as_custom_events_that_they_do() -> None:
    story = answered()
    story.write(EventType.RUN_PROGRESS, current=1, total=2, message="half")
    told = shapes(story)
    known = {
        "RUN_STARTED", "STEP_STARTED", "STEP_FINISHED", "TEXT_MESSAGE_START", "TEXT_MESSAGE_CONTENT",
        "TEXT_MESSAGE_END", "TOOL_CALL_START", "TOOL_CALL_ARGS", "TOOL_CALL_END", "CUSTOM",
    }  # fmt: skip
    assert {event["type"] for event in told} == known
    reasoning = [event for event in told if event.get("name") == "REASONING_MESSAGE_CONTENT"]
    assert [event["data"]["delta"] for event in reasoning] == ["Hm"]
    assert told[-1]["data"]["content"]["message"] == "half"


def test_calls_that_wait_for_approval_are_one_interrupt_with_all_of_them() -> None:
    story = answered()
    step = naming.approval_step(naming.tool_step("ask", 1, 1, "SLACK___post"))
    asked = {"question": "q", "title": "?", "kind": "tool_call", "quorum": 1, "digest": "abcdef0123456789"}
    story.write(EventType.QUESTION_ASK, step, None, **asked)
    story.write(EventType.RUN_WAIT, reason="", until=None)
    told = shapes(story)
    (call,), end = of_type(told, "TOOL_CALL_START"), told[-1]
    assert (end["type"], end["outcome"], "result" in end) == ("RUN_FINISHED", "interrupt", False)
    assert end["interrupt"] == {
        "id": "q.abcdef012345", "interrupts": ["q.abcdef012345"], "reason": "tool_approval_required",
        "payload": {
            "pendingToolCalls": [
                {"callId": call["toolCallId"], "fnName": "SLACK/post", "fnArguments": '{"text": "hi"}'}
            ],
            "checkpointPosition": "", "workflowName": "notify",
        },
    }  # fmt: skip


def test_a_question_is_a_call_for_a_humans_input() -> None:
    outcome = RunFinishedInterruptOutcome(
        interrupts=[
            Interrupt(id="p.1", reason="input_required", message="Who?", response_schema={"type": "string"}),
            Interrupt(id="q.1", reason="confirmation"),
        ]
    )
    *calls, end = OlderShape("r1", "notify", list).of(RunFinishedEvent(thread_id="t", run_id="r1", outcome=outcome))
    assert [(one["type"], one["toolCallId"]) for one in calls] == [
        ("TOOL_CALL_START", "wait_r1"), ("TOOL_CALL_ARGS", "wait_r1"), ("TOOL_CALL_END", "wait_r1"),
        ("TOOL_CALL_START", "wait_q.1"), ("TOOL_CALL_ARGS", "wait_q.1"), ("TOOL_CALL_END", "wait_q.1"),
    ]  # fmt: skip
    assert calls[1]["delta"] == '{"message": "Who?", "schema": {"type": "string"}}'
    assert end["interrupt"]["reason"] == "human_input_required"


def test_a_stopped_run_is_a_cancelled_workflow_and_other_errors_keep_their_code() -> None:
    older = OlderShape("r1", "notify", list)
    stopped = {"type": "RUN_ERROR", "runId": "r1", "code": "CANCELLED", "message": "Workflow cancelled by user"}
    cancelled = RunFinishedEvent(thread_id="t", run_id="r1", outcome=RunFinishedCancelledOutcome())
    assert older.of(cancelled) == older.of(RunErrorEvent(message="x", code="STOPPED")) == [stopped]
    assert older.of(RunErrorEvent(message="no")) == [{"type": "RUN_ERROR", "runId": "r1", "message": "no"}]
