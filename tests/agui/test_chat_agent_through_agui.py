"""Whole conversations with the example `chat-agent`, as a page has them: over the run door, turn by turn."""

from types import SimpleNamespace
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import Group

from examples import countdown
from hitl import answers
from hitl.models import Question
from perdure.agui.models import Thread, ThreadMessage
from runs.models import Run
from tests.agui.frontend import Frontend, types
from tests.live.conftest import _nothing_stays_open, bus
from tests.live.people import Person, make_person

__all__ = ["_nothing_stays_open", "bus"]

pytestmark = pytest.mark.django_db(transaction=True)
EDITED = {"job": "countdown", "input": {"start": 2}}
PAINT = {"name": "change_background", "description": "Paint the page.", "parameters": {"type": "object"}}


@pytest.fixture
def ann(transactional_db: None, bus: str, monkeypatch: pytest.MonkeyPatch) -> Person:
    async def pass_by(seconds: float) -> None:
        """No pause."""

    monkeypatch.setattr(countdown, "asyncio", SimpleNamespace(sleep=pass_by))
    return make_person("ann")


@pytest.fixture
def frontend(ann: Person) -> Frontend:
    return Frontend(ann, tools=[PAINT])


def countdowns() -> list[int]:
    found = Run.objects.filter(job="countdown").order_by("created_at")
    return [one.input["start"] for one in found]


def kept(thread: str = "t1") -> list[dict[str, Any]]:
    """The server's transcript, as its rows have it."""
    rows = ThreadMessage.objects.filter(thread__thread_id=thread).order_by("turn__number", "position")
    return [row.data for row in rows]


async def test_text_and_reasoning_arrive_and_are_kept(frontend: Frontend) -> None:
    told = await frontend.say("What can you do?")
    assert "Note that tea is green" in frontend.text
    seen = types(told)
    assert seen.index("REASONING_MESSAGE_CONTENT") < seen.index("TEXT_MESSAGE_CONTENT")
    assert told[0]["protocolVersion"] == "1.0"
    assert told[-1]["outcome"] == {"type": "success"}
    assert told[-1]["usage"][0]["outputTokens"] > 0
    saved = await sync_to_async(kept)()
    assert [one["role"] for one in saved] == ["user", "reasoning", "assistant"]
    assert saved[-1]["content"] == frontend.text


async def test_tools_change_the_state_that_page_and_agent_share_over_turns(frontend: Frontend) -> None:
    told = await frontend.say("Note that tea is green")
    assert frontend.client.state == {"notes": {"tea": "green"}}
    assert {"TOOL_CALL_START", "TOOL_CALL_RESULT", "STATE_SNAPSHOT"} <= set(types(told))
    assert frontend.results == ["The note 'tea' is kept."]
    frontend.client.state["theme"] = "dark"  # the page changes it too
    await frontend.say("Note that milk is white")
    assert frontend.client.state == {"notes": {"tea": "green", "milk": "white"}, "theme": "dark"}
    assert frontend.text == "The note 'milk' is kept."
    thread = await Thread.objects.aget(thread_id="t1")
    assert thread.state == frontend.client.state


async def test_a_tool_of_the_page_is_performed_by_the_page(frontend: Frontend) -> None:
    told = await frontend.say("Note that tea is green and change the background to red")
    assert frontend.client.state == {"notes": {"tea": "green"}}
    (pending,) = told[-1]["outcome"]["pendingToolCallIds"]
    assert frontend.results == ["The note 'tea' is kept."]
    told = await frontend.give({pending: "It is red."})
    assert frontend.text == "The tools say:\n\nThe note 'tea' is kept.\n\nIt is red.\n"
    assert "pendingToolCallIds" not in told[-1]["outcome"]
    saved = await sync_to_async(kept)()
    assert [one["role"] for one in saved] == ["user", "reasoning", "assistant", "tool", "tool", "assistant"]


async def test_an_older_page_sees_the_call_and_gives_its_result(ann: Person) -> None:
    frontend = Frontend(ann, tools=[PAINT], version="")
    told = await frontend.say("Change the background to red")
    assert "pendingToolCallIds" not in told[-1].get("outcome", {})
    (call,) = [one["toolCallId"] for one in told if one["type"] == "TOOL_CALL_START"]
    await frontend.give({call: "It is red."})
    assert frontend.text == "This came back: It is red."


async def test_a_page_that_goes_on_without_its_result_is_answered(frontend: Frontend) -> None:
    await frontend.say("Change the background to red")
    await frontend.say("Note that tea is green")
    assert frontend.text == "The note 'tea' is kept."


async def test_a_result_of_the_page_counts_though_people_are_still_asked_about_another_call(
    frontend: Frontend, scripted: Any
) -> None:
    calls = [
        {"name": "change_background", "arguments": {"background": "red"}},
        {"name": "start_run", "arguments": {"job": "countdown", "input": {"start": 1}}},
    ]
    await sync_to_async(scripted)({"turn": 1, "tool_calls": calls}, {"turn": 2, "text": "{{tool_results}}"})
    told = await frontend.say("Do both")
    (interrupt,) = frontend.interrupts
    painting = next(one["toolCallId"] for one in told if one.get("toolCallName") == "change_background")
    assert interrupt["toolCallId"] != painting
    early = {"id": "early", "role": "tool", "toolCallId": painting, "content": "It is red."}
    frontend.client.messages.append(early)
    told = await frontend.answer({"approved": True})
    assert told[-1]["outcome"]["pendingToolCallIds"] == [painting]
    await frontend.run()  # with nothing new but what it had sent before
    assert frontend.text.startswith("It is red.\n\nThe run ")
    assert early in await sync_to_async(kept)()


async def test_a_tool_that_no_model_takes_is_refused_by_its_place(frontend: Frontend) -> None:
    frontend.tools = [PAINT, {"name": "has space", "description": ""}]
    refused = await frontend.post(frontend.input(messages=[{"id": "u", "role": "user", "content": "Hello"}]))
    assert refused.status_code == 400
    assert refused.json()["error"]["details"]["fields"][0]["field"] == "tools.1.name"
    assert not await Thread.objects.aexists()


@pytest.mark.parametrize(
    ("payload", "told", "started"),
    [
        ({"approved": True}, "was started: /runs/", [3]),
        ({"approved": False, "reason": "Not now."}, "denied by ann: Not now.", []),
        ({"approved": True, "editedArgs": EDITED}, "ann changed the arguments to", [2]),
        (None, "Cancelled by user.", []),
    ],
)  # fmt: skip
async def test_an_approval_is_answered_by_the_page(
    frontend: Frontend, payload: Any, told: str, started: list[int]
) -> None:
    first = await frontend.say("Start a countdown from 3")
    (interrupt,) = frontend.interrupts
    assert (first[-1]["type"], interrupt["reason"]) == ("RUN_FINISHED", "tool_call")
    call = next(one["toolCallId"] for one in first if one["type"] == "TOOL_CALL_START")
    assert interrupt["toolCallId"] == call
    assert "editedArgs" in interrupt["responseSchema"]["properties"]
    assert frontend.results == []
    second = await frontend.answer(payload)
    assert "TOOL_CALL_START" not in types(second)  # the call is not told again
    assert [one["toolCallId"] for one in second if one["type"] == "TOOL_CALL_RESULT"] == [call]
    assert told in frontend.results[0]
    assert told in frontend.text
    assert frontend.interrupts == []
    assert await sync_to_async(countdowns)() == started


async def test_two_approvals_at_once_are_answered_together(frontend: Frontend) -> None:
    await frontend.say("Start two countdowns")
    assert len(frontend.interrupts) == 2
    await frontend.answer({"approved": True}, {"approved": False})
    assert await sync_to_async(countdowns)() == [10]
    assert ["was started" in frontend.text, "denied by ann" in frontend.text] == [True, True]


async def test_two_approvals_at_once_are_answered_one_by_one(frontend: Frontend) -> None:
    await frontend.say("Start two countdowns")
    first = frontend.interrupts[0]["id"]
    told = await frontend.answer({"approved": False})
    assert [one["id"] for one in frontend.interrupts] != [first]
    assert told[-1]["outcome"]["type"] == "interrupt"
    assert len(frontend.interrupts) == 1
    await frontend.answer({"approved": True})
    assert await sync_to_async(countdowns)() == [20]
    saved = await sync_to_async(kept)()
    assert [one["role"] for one in saved].count("tool") == 2


async def test_a_colleague_goes_on_where_the_other_stopped(ann: Person) -> None:
    crew = await Group.objects.acreate(name="crew")
    await ann.user.groups.aadd(crew)
    bob, eve = [await sync_to_async(make_person)(name, team) for name, team in (("bob", crew), ("eve", None))]
    await Frontend(ann).say("Start a countdown from 3", forwardedProps={"team": "crew"})
    theirs, strange = Frontend(bob, runs=10), Frontend(eve, runs=20)
    await theirs.run()  # nothing new: what there is
    assert [one["role"] for one in theirs.client.messages] == ["user", "reasoning", "assistant"]
    entry = {"interruptId": theirs.interrupts[0]["id"], "status": "resolved", "payload": {"approved": True}}
    assert (await strange.post(strange.input(resume=[entry]))).status_code == 404
    await theirs.answer({"approved": False, "reason": "Not ours."})
    assert "denied by bob: Not ours." in theirs.text


async def test_an_answer_in_the_inbox_is_the_same_answer(frontend: Frontend, ann: Person) -> None:
    await frontend.say("Start a countdown from 3")
    question = await Question.objects.aget(status="open")
    await sync_to_async(answers.answer)(question.id, ann.user, "approve", digest=question.digest)
    await frontend.answer({"approved": True})  # the page does not know yet
    assert "was started" in frontend.text
    assert await sync_to_async(countdowns)() == [3]


async def test_a_conversation_goes_on_after_all_of_it(frontend: Frontend) -> None:
    await frontend.say("Note that tea is green")
    await frontend.say("Start a countdown from 3")
    await frontend.answer({"approved": True})
    told = await frontend.say("Change the background to red")
    await frontend.give({told[-1]["outcome"]["pendingToolCallIds"][0]: "It is red."})
    await frontend.say("Note that milk is white")
    assert frontend.text == "The note 'milk' is kept."
    assert frontend.client.state == {"notes": {"tea": "green", "milk": "white"}}
    saved = await sync_to_async(kept)()
    shown = [(one["role"], one.get("content") or "") for one in frontend.client.messages]
    assert sorted((one["role"], one.get("content") or "") for one in saved) == sorted(shown)
    assert {one["id"] for one in saved} == {one["id"] for one in frontend.client.messages}
