"""How a protocol run ends, for clients of both generations, and what it tells at its beginning."""

import pytest
from ag_ui.core import Interrupt, RunAgentInput

from flows.llm.tools import naming
from perdure.agui.adapter import Adapter, Opening
from runs.events.types import EventType
from tests.agui.adapter.readers import HISTORY, Reader
from tests.agui.adapter.story import RUN, Story, entry, reply
from tests.agui.adapter.wire import Event, on_the_wire

CALL = ("call_1", "mail", {"to": "bob"})


def last(story: Story, version: str = "1.0") -> Event:
    return on_the_wire(Reader(version).read(story.told).events)[-1]


def working() -> Story:
    """A call is under way, and so is an answer."""
    story = Story()
    story.begin("ask")
    story.end("ask", output=reply("", "", [CALL], tokens=7))
    story.begin(naming.tool_step("ask", 1, 1, "mail"), kind="run")
    story.begin("other")
    story.emit("other", {"type": "text", "text": "Half a"})
    return story


def test_a_stopped_run_ends_cancelled_with_its_calls_answered_and_everything_closed() -> None:
    story = working()
    story.write(EventType.RUN_CANCEL, actor={"kind": "user"}, reason="")
    reader = Reader().read(story.told)
    told = on_the_wire(reader.events)
    assert (told[-1]["type"], told[-1]["outcome"]) == ("RUN_FINISHED", {"type": "cancelled"})
    assert told[-1]["usage"] == [
        {"provider": "scripted", "model": "m", "inputTokens": 7, "outputTokens": 7, "totalTokens": 14}
    ]
    (result,) = [event for event in told if event["type"] == "TOOL_CALL_RESULT"]
    assert result["content"] == "The run was stopped before this call was done."
    assert reader.adapter.model_messages[result["messageId"]]["is_error"]


def test_older_clients_know_a_stopped_run_by_the_code_of_its_error() -> None:
    story = working()
    story.write(EventType.RUN_CANCEL, actor={"kind": "user"}, reason="too slow")
    end = last(story, "0.9")
    assert (end["type"], end["code"], end["message"]) == ("RUN_ERROR", "STOPPED", "The run was stopped: too slow.")


@pytest.mark.parametrize(("step", "code"), [("ask", "TASK_FAILED"), (None, "WORKFLOW_ERROR")])
def test_a_failed_run_tells_what_went_wrong_and_no_traceback(step: str | None, code: str) -> None:
    story = working()
    error = {"type": "ValueError", "message": "no" * 2_000, "traceback": "File secret.py"}
    story.write(EventType.RUN_FAIL, error=error | ({"step": step} if step else {}))
    end = last(story)
    assert (end["type"], end["code"], end["message"][:14]) == ("RUN_ERROR", code, "ValueError: no")
    assert len(end["message"]) == 2_000
    assert "secret" not in str(end)


def test_a_run_that_was_retried_goes_on_in_another_protocol_run() -> None:
    story = working()
    story.write(EventType.RUN_FAIL, error={"type": "ValueError", "message": "no"})
    story.write(EventType.RUN_RETRY)
    story.end(naming.tool_step("ask", 1, 1, "mail"), output="sent")
    story.write(EventType.RUN_COMPLETE, output=None)
    told = on_the_wire(Reader().read(story.told).events)
    ends = [event["type"] for event in told if event["type"] in ("RUN_ERROR", "RUN_FINISHED")]
    assert ends == ["RUN_ERROR", "RUN_FINISHED"]
    assert [event["content"] for event in told if event["type"] == "TOOL_CALL_RESULT"] == ["sent"]


def asking(*, quorum: int = 1) -> Story:
    story = Story()
    for question in ("p", "q"):
        data = {"question": question, "title": "Sure?", "kind": "input", "quorum": quorum, "digest": "abcdef0123456789"}
        story.write(EventType.QUESTION_ASK, question, None, **data)
    return story


def test_two_open_questions_are_two_interrupts_and_the_one_that_is_left_is_asked_again() -> None:
    story = asking()
    story.write(EventType.RUN_WAIT, reason="", until=None)
    story.write(EventType.QUESTION_ANSWER, "p", None, question="p", decision="submit")
    story.write(EventType.RUN_RESUME)
    story.write(EventType.RUN_WAIT, reason="", until=None)
    ends = [event for event in on_the_wire(Reader().read(story.told).events) if event["type"] == "RUN_FINISHED"]
    told = [[one["id"] for one in end["outcome"]["interrupts"]] for end in ends]
    assert told == [["p.abcdef012345", "q.abcdef012345"], ["q.abcdef012345"]]
    assert ends[1]["outcome"]["interrupts"][0] == {
        "id": "q.abcdef012345", "reason": "input_required", "message": "Sure?",
    }  # fmt: skip


def test_a_question_is_open_until_its_quorum_and_a_revised_one_from_the_beginning() -> None:
    story = asking(quorum=2)
    story.write(EventType.QUESTION_WITHDRAW, "p", None, question="p")
    for _ in range(2):
        story.write(EventType.QUESTION_ANSWER, "q", None, question="q", decision="submit")
        story.write(EventType.QUESTION_ASK, "q", None, question="q", quorum=2, revised=True)
    story.write(EventType.QUESTION_ANSWER, "q", None, question="q", decision="submit")
    reader = Reader().read(story.told)
    assert reader.adapter.open_questions == [("q", None)]
    reader.read([entry(len(story.log) + 1, EventType.QUESTION_EXPIRE, "q", None, question="q")])
    assert reader.adapter.open_questions == []


def test_a_run_that_waits_for_time_alone_stays_open() -> None:
    story = Story()
    story.write(EventType.RUN_WAIT, reason="sleep", until=None)
    reader = Reader().read(story.told)
    assert (reader.adapter.is_open, reader.adapter.boundary) == (True, None)


def test_the_interrupts_that_were_asked_for_are_told_each_once() -> None:
    story = asking()
    wait = entry(len(story.log) + 1, EventType.RUN_WAIT, reason="", until=None)
    adapter = Reader().read(story.told).adapter
    assert adapter.asks(wait) == [("p", None), ("q", None)]
    assert adapter.asks(story.told[0]) == []
    asked = Interrupt(id="mine", reason="x", metadata={"url": "/q/"})
    (end,) = on_the_wire(adapter.feed(wait, [asked, asked]))
    assert [one["metadata"] for one in end["outcome"]["interrupts"]] == [{"url": "/q/"}]
    assert adapter.asks(wait) == [], "nobody listens any more"


def test_it_begins_with_what_the_client_sent_and_where_it_is_new_with_all_that_is() -> None:
    sent = RunAgentInput(thread_id="t", run_id="r", messages=[HISTORY[0]], tools=[], context=[], state={}, resume=None)
    opening = Opening("t", "r", "r0", "1.0", sent, snapshots=True)
    started, state, messages = on_the_wire(Adapter(RUN, HISTORY, {"x": 1}).begin(opening))
    assert started["input"]["messages"] == messages["messages"] == [{"id": "u1", "role": "user", "content": "Hello"}]
    assert (started["protocolVersion"], started["parentRunId"]) == ("1.0", "r0")
    assert state["snapshot"] == {"x": 1}


def test_what_breaks_off_is_closed_and_nothing_follows() -> None:
    story = working()
    reader = Reader().read(story.told)
    told = on_the_wire(reader.adapter.fail("INTERNAL_ERROR", "Ask again."))
    assert [event["type"] for event in told][-2:] == ["STEP_FINISHED", "RUN_ERROR"]
    assert (reader.adapter.fail("X", "again"), reader.adapter.is_open) == ([], False)


def test_nothing_is_told_before_it_begins_and_beginning_twice_tells_nothing() -> None:
    story = working()
    adapter = Adapter(RUN, HISTORY)
    assert [adapter.feed(event) for event in story.told] == [[]] * len(story.told)
    assert len(adapter.begin(Opening("t", "r"))) == 1
    assert adapter.begin(Opening("t", "r2")) == []
