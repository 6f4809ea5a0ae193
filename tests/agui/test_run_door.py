"""`POST /ag-ui/run` over HTTP: a run's events as they come, under the ids that the client chose."""

import asyncio
import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import AsyncClient

from hitl.models import Answer
from perdure.accounts.tokens import create_token
from perdure.agui.models import Turn
from perdure.agui.off_loop import in_thread
from runs.models import Run
from runs.testing import drain
from tests.agui.asking import Body, asked, body, pending, resolved, resume

pytestmark = pytest.mark.django_db(transaction=True)
Events = list[dict[str, Any]]


class Front:
    """A frontend: posts what it has, and reads until the stream ends."""

    def __init__(self, user: User) -> None:
        self.client = AsyncClient()
        self.headers = {"authorization": f"Bearer {create_token(user, 'a page')}"}

    async def post(self, sent: Body, path: str = "/ag-ui/run", **headers: str) -> Any:
        return await self.client.post(
            path, data=json.dumps(sent), content_type="application/json", headers=self.headers | headers
        )

    async def events(self, sent: Body, path: str = "/ag-ui/run", **headers: str) -> Events:
        response = await self.post(sent, path, **headers)
        assert response.status_code == 200, response.content
        reading = asyncio.create_task(read(response))
        while not reading.done():
            await in_thread(drain)
            await asyncio.wait([reading], timeout=0.05)
        return await reading


async def read(response: Any) -> Events:
    text = b""
    async with asyncio.timeout(60):
        async for chunk in response:
            text += chunk
    lines = [line for line in text.decode().split("\n") if line.startswith("data: ")]
    return [json.loads(line.removeprefix("data: ")) for line in lines]


@pytest.fixture
async def front(transactional_db: None) -> Front:
    return await in_thread(lambda: Front(User.objects.create_user("bob")))


def kinds(events: Events) -> list[str]:
    return [one["type"] for one in events]


def text(events: Events) -> str:
    return "".join(one["delta"] for one in events if one["type"] == "TEXT_MESSAGE_CONTENT")


async def test_a_message_is_answered(front: Front) -> None:
    events = await front.events(body("hello"))
    assert events[0] | {"timestamp": 0} == {
        "type": "RUN_STARTED", "threadId": "t1", "runId": "r1", "protocolVersion": "1.0", "timestamp": 0,
    } | ({"input": events[0]["input"]} if "input" in events[0] else {})  # fmt: skip
    assert "".join(one.get("delta", "") for one in events) == "You said: hello"
    assert (kinds(events)[-1], events[-1]["runId"]) == ("RUN_FINISHED", "r1")


async def test_a_turn_goes_on_under_another_run_id_after_the_answer(front: Front) -> None:
    (interrupt,) = await in_thread(lambda: asked(User.objects.get(), "approval"))
    told = await front.events(resume(resolved(interrupt, {"approved": True})))
    assert (told[0]["runId"], kinds(told)[-1]) == ("r2", "RUN_FINISHED")
    assert told[-1]["result"] == [["approve", None, ""]]


async def test_a_question_ends_the_run_with_its_interrupt(front: Front) -> None:
    props = {"input": {"kinds": ["approval", "choice"], "to": ["bob"]}}
    told = await front.events(body(None, job="talk-questions", props=props))
    shown = told[-1]["outcome"]
    assert shown["type"] == "interrupt"
    waiting = await in_thread(pending)
    assert {one["id"] for one in shown["interrupts"]} == {one.id for one in waiting}


async def test_the_headers_name_the_run_and_its_turn(front: Front) -> None:
    response = await front.post(body("hello"))
    assert (response["x-ag-ui-run-id"], response["Content-Type"]) == ("r1", "text/event-stream")
    turn = await Turn.objects.aget()
    assert response["x-ag-ui-session-id"] == str(turn.pk)
    response.close()


async def test_what_was_sent_before_is_told_again_under_the_same_ids(front: Front) -> None:
    first = await front.events(body("hello"))
    again = await front.events(body("hello"))
    assert [text(one) for one in (first, again)] == ["You said: hello"] * 2
    assert await Run.objects.acount() == 1


async def test_a_known_thread_without_messages_is_restored_and_nothing_is_run(front: Front) -> None:
    await front.events(body("hello"))
    told = await front.events(body(None, run="r2"))
    assert kinds(told) == ["RUN_STARTED", "STATE_SNAPSHOT", "MESSAGES_SNAPSHOT", "RUN_FINISHED"]
    assert [one["content"] for one in told[2]["messages"]] == ["hello", "You said: hello"]
    assert await Run.objects.acount() == 1


async def test_a_waiting_thread_is_restored_with_its_interrupt(front: Front) -> None:
    (interrupt,) = await in_thread(lambda: asked(User.objects.get(), "approval"))
    told = await front.events(body(None, run="r2"))
    assert told[-1]["outcome"]["interrupts"][0]["id"] == interrupt.id


async def test_a_result_sent_to_the_older_door_answers_the_question(front: Front) -> None:
    (interrupt,) = await in_thread(lambda: asked(User.objects.get(), "input"))
    assert interrupt.tool_call_id is None
    result = {"toolCallId": "wait_r1", "result": {"age": 7}}
    sent = {"runId": "r1", "toolCallResults": [result]}
    told = await front.events(sent, "/ag-ui/message")
    assert told[-1]["result"] == [["submit", {"age": 7}, ""]]
    again = await front.events(sent, "/ag-ui/message")
    assert again[-1]["result"] == told[-1]["result"]


async def test_the_older_door_takes_no_result_that_nobody_waits_for(front: Front) -> None:
    await in_thread(lambda: asked(User.objects.get(), "input"))
    for sent, refusal in [
        ({"runId": "r1", "toolCallResults": [{"toolCallId": "c9", "result": 1}]}, (400, "INVALID_TOOL_CALL_ID")),
        ({"runId": "r9", "toolCallResults": [{"toolCallId": "c9", "result": 1}]}, (404, "RUN_NOT_FOUND")),
        ({"runId": "r1", "toolCallResults": []}, (400, "INVALID_INPUT")),
        ({"runId": "r1", "toolCallResults": [{"toolCallId": "c9"}], "more": 1}, (400, "INVALID_INPUT")),
    ]:
        response = await front.post(sent, "/ag-ui/message")
        assert (response.status_code, response.json()["error"]["code"]) == refusal
    assert not await Answer.objects.aexists()


async def test_a_run_that_waits_for_nothing_takes_no_result(front: Front) -> None:
    await front.events(body("hello"))
    sent = {"runId": "r1", "toolCallResults": [{"toolCallId": "c1", "result": 1}]}
    response = await front.post(sent, "/ag-ui/message")
    assert (response.status_code, response.json()["error"]["code"]) == (409, "INVALID_SESSION_STATE")
