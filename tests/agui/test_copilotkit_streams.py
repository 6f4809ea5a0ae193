"""What CopilotKit's client is streamed: a run of the agent that it names, and a thread that it connects to."""

import asyncio
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.test import AsyncClient

from hitl import answers
from hitl.models import Question
from perdure.accounts.tokens import create_token
from perdure.agui.models import Thread
from runs import jobs
from runs.models import Run
from runs.testing import drain
from tests.agui.callers import Caller
from tests.agui.conftest import say
from tests.agui.reading import Screen, read_blocks, show
from tests.live.conftest import _nothing_stays_open, bus  # noqa: F401  (fixtures)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("bus")]
SECONDS_AT_MOST = 20


def _input(text: str = "", *, thread: str = "t1", run: str = "r1", **more: Any) -> dict[str, Any]:
    messages = [{"id": f"u-{run}", "role": "user", "content": text}] if text else []
    known = {"threadId": thread, "runId": run, "messages": messages, "tools": [], "context": [], "state": {}}
    return known | {"forwardedProps": {}} | more


async def _post(user: User, path: str, body: Any) -> Any:
    token = await sync_to_async(create_token)(user, "a test")
    headers = {"authorization": f"Bearer {token}"}
    return await AsyncClient().post(f"/copilotkit{path}", body, content_type="application/json", headers=headers)


async def _read(response: Any) -> Screen:
    assert response.status_code == 200, response.content
    assert response["Content-Type"] == "text/event-stream"
    async with asyncio.timeout(SECONDS_AT_MOST):
        return show([block async for block in read_blocks(response)])


async def _connect(user: User, thread: str = "t1", **more: Any) -> Screen:
    return await _read(await _post(user, "/agent/talk-echo/connect", _input(thread=thread, run="c1", **more)))


def _said(user: User, *texts: str) -> None:
    for number, text in enumerate(texts, start=1):
        say(user, "t1", text, run_id=f"r{number}")
        drain()


@pytest.mark.parametrize("single", [False, True])
async def test_a_run_is_answered_by_the_agent_of_the_address(bob: User, single: bool) -> None:
    # What the body says of another agent does not count.
    body = _input("hello", forwardedProps={"job": "talk-ask"})
    envelope = {"method": "agent/run", "params": {"agentId": "talk-echo"}, "body": body}
    response = await (_post(bob, "", envelope) if single else _post(bob, "/agent/talk-echo/run", body))
    assert response["x-ag-ui-run-id"] == "r1"
    await sync_to_async(drain)()
    screen = await _read(response)
    assert screen.texts == ["You said: hello"]
    assert screen.end["runId"] == "r1"
    assert (await Run.objects.aget()).job == "talk-echo"


async def test_the_default_agent_runs_the_default_job(bob: User, settings: Any) -> None:
    settings.AG_UI_DEFAULT_JOB = "talk-echo"
    response = await _post(bob, "/agent/default/run", _input("hello"))
    await sync_to_async(drain)()
    assert (await _read(response)).texts == ["You said: hello"]


async def test_a_replay_says_what_was_said_once(bob: User) -> None:
    await sync_to_async(_said)(bob, "one", "two", "three")
    screen = await _connect(bob)
    echoed = [event["input"]["messages"] for event in screen.events if event["type"] == "RUN_STARTED"]
    assert [[one["content"] for one in messages] for messages in echoed] == [["one"], ["two"], ["three"]]


async def test_who_connects_is_shown_the_whole_thread(bob: User) -> None:
    await sync_to_async(_said)(bob, "one", "two")
    screen = await _connect(bob)
    assert [one["content"] for one in screen.messages.values()] == ["one", "You said: one", "two", "You said: two"]
    assert [event["runId"] for event in screen.events if event["type"] == "RUN_STARTED"] == ["r1", "r2"]
    assert screen.end["type"] == "RUN_FINISHED"
    again = await _read(await _post(bob, "", {
        "method": "agent/connect", "params": {"agentId": "talk-echo"}, "body": _input(run="c2"),
    }))  # fmt: skip
    assert again.messages == screen.messages


async def test_who_connects_to_a_run_under_way_is_told_it_to_its_end(bob: User) -> None:
    await sync_to_async(_said)(bob, "one")
    await sync_to_async(say)(bob, "t1", "two", run_id="r2")
    response = await _post(bob, "/agent/talk-echo/connect", _input(run="c1"))
    await sync_to_async(drain)()
    screen = await _read(response)
    assert screen.texts == ["You said: one", "You said: two"]


async def test_a_thread_that_waits_ends_with_what_it_asks(bob: User) -> None:
    await sync_to_async(say)(bob, "t1", "bob", job="talk-ask")
    await sync_to_async(drain)()
    screen = await _connect(bob)
    assert [one["message"] for one in screen.end["outcome"]["interrupts"]] == ["first?"]


async def test_who_comes_back_after_people_answered_elsewhere_is_told_how_it_ended(bob: User) -> None:
    await sync_to_async(_answered_in_the_inbox)(bob)
    screen = await _connect(bob, protocolVersion="1.0")
    assert screen.end["outcome"]["type"] == "success"
    assert [one["content"] for one in screen.messages.values()] == ["bob", "approve approve"]


def _answered_in_the_inbox(user: User) -> None:
    say(user, "t1", "bob", job="talk-ask")
    for _ in range(2):
        drain()
        question = Question.objects.get(status="open")
        answers.answer(question.id, user, "approve", digest=question.digest)
    drain()


async def test_who_comes_back_after_the_run_was_stopped_is_asked_nothing(bob: User) -> None:
    run = (await sync_to_async(say)(bob, "t1", "bob", job="talk-ask")).run_id
    await sync_to_async(drain)()
    await sync_to_async(jobs.cancel)(run)
    screen = await _connect(bob, protocolVersion="1.0")
    assert screen.end["outcome"] == {"type": "cancelled"}


async def test_a_run_that_was_stopped_is_no_error_of_a_page_that_is_loaded_anew(bob: User) -> None:
    run = (await sync_to_async(say)(bob, "t1", "hello")).run_id
    await sync_to_async(jobs.cancel)(run)
    older, newer = await _connect(bob), await _connect(bob, protocolVersion="1.0")
    assert older.end["type"] == "RUN_FINISHED"
    assert "outcome" not in older.end
    assert newer.end["outcome"] == {"type": "cancelled"}


async def test_an_unknown_thread_and_somebody_elses_are_alike_empty(bob: User, stranger: User) -> None:
    await sync_to_async(_said)(bob, "one")
    for user, thread in ((bob, "t9"), (stranger, "t1"), (stranger, "t9")):
        assert (await _connect(user, thread)).events == []
    assert await Thread.objects.acount() == 1
    answer = await _post(stranger, "/agent/talk-echo/run", _input("hello"))
    assert (answer.status_code, answer.json()["error"]) == (404, "THREAD_NOT_FOUND")
    assert await Run.objects.acount() == 1


@pytest.mark.parametrize("body", [{"threadId": 1}, {"threadId": "a b"}, {"threadId": "t1", "messages": "none"}])
async def test_an_input_that_does_not_fit_runs_nothing(bob: User, body: Any) -> None:
    for door in ("run", "connect"):
        answer = await _post(bob, f"/agent/talk-echo/{door}", body)
        assert (answer.status_code, answer.json()["error"]) == (400, "INVALID_INPUT")
    assert not await Run.objects.aexists()


async def test_an_inspector_reads_messages_state_and_what_is_over(bob: User) -> None:
    await sync_to_async(_said)(bob, "one")
    await sync_to_async(say)(bob, "t1", "two", run_id="r2")

    def get(what: str) -> Any:
        return Caller(bob).get(f"/copilotkit/threads/t1/{what}").json()[what]

    messages = await sync_to_async(get)("messages")
    assert [(one["role"], one["content"]) for one in messages] == [
        ("user", "one"), ("assistant", "You said: one"), ("user", "two"),
    ]  # fmt: skip
    assert await sync_to_async(get)("state") == {}
    events = await sync_to_async(get)("events")
    assert [event["type"] for event in events if event["type"].startswith("RUN_")] == ["RUN_STARTED", "RUN_FINISHED"]
    assert {event["runId"] for event in events if "runId" in event} == {"r1"}
