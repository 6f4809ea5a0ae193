"""A run's events in the words of the workflow API, over the same stream as everywhere."""

from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import AsyncClient

from runs.events.types import LiveType, RunEvent
from runs.live.workflow_events import WORKFLOW_SSE, tell
from runs.models import Run
from tests.live.logs import amake_run, aprune, awrite
from tests.live.people import ApiClient, Person, amake_person
from tests.live.test_events_over_http import SSE, chunks, parse_sse

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
async def member() -> Person:
    return await amake_person("member", await Group.objects.acreate(name="team"))


@pytest.fixture
async def run(member: Person) -> Run:
    run = await amake_run(team=await Group.objects.aget(name="team"), owner=member.user)
    await awrite(run.id, "run:queued", "run:start")
    await awrite(run.id, "run:progress", current=1, total=3, message="reading")
    await awrite(run.id, "step:start", step="read", attempt=1, kind="run")
    await awrite(run.id, "step:complete", step="read", attempt=1, output="é")
    await awrite(run.id, "step:fail", step="write", attempt=1, error={"type": "ValueError", "message": "no"})
    return run


async def test_events_have_the_names_of_the_workflow_api_and_end_with_complete(run: Run, member: Person) -> None:
    await awrite(run.id, "run:fail", error={"type": "StepFailed", "message": "it failed"})
    response = await ApiClient(member.bearer | SSE).get(f"/api/workflows/{run.id}/events")
    assert response["Content-Type"] == "text/event-stream"
    found = [parse_sse(chunk) async for chunk in chunks(response) if "event:" in chunk]
    assert [(int(one.get("id", 0)), one["event"]) for one in found] == [
        (1, "run:queued"), (2, "run:start"), (3, "iteration"), (4, "tool_call"), (5, "tool_result"),
        (6, "tool_result"), (0, "error"), (7, "complete"),
    ]  # fmt: skip
    iteration, call, result, failed, error, end = (one["data"] for one in found[2:])
    assert (iteration["current"], iteration["max"], iteration["workflowId"]) == (1, 3, str(run.id))
    assert (call["toolName"], result["success"], result["output"], failed["success"]) == ("read", True, "é", False)
    assert (failed["output"], end["success"], end["message"], end["sequenceNumber"]) == ("no", False, "it failed", 7)
    assert (error["message"], error["sequenceNumber"], end["iterations"], end["edits"]) == ("it failed", 7, None, [])
    assert end["timestamp"] > 1_700_000_000_000


async def test_a_reconnect_goes_on_after_the_last_event_it_has(run: Run, member: Person) -> None:
    await awrite(run.id, "run:complete", output=5)
    client = ApiClient(member.bearer | SSE | {"Last-Event-ID": "6"})
    response = await client.get(f"/api/workflows/{run.id}/events/")
    (end,) = [parse_sse(chunk) async for chunk in chunks(response) if chunk.startswith("id")]
    assert (end["data"]["success"], end["data"]["message"], end["data"]["output"]) == (True, "completed", 5)
    done = await ApiClient(member.bearer | SSE | {"Last-Event-ID": "7"}).get(f"/api/workflows/{run.id}/events")
    assert done.status_code == 204


async def test_what_was_cleaned_up_is_a_gap(run: Run, member: Person) -> None:
    await awrite(run.id, "run:complete", output=5)
    await aprune(run.id, 7)
    response = await ApiClient(member.bearer | SSE).get(f"/api/workflows/{run.id}/events")
    names = [parse_sse(chunk)["event"] async for chunk in chunks(response) if "event:" in chunk]
    assert names == ["gap", "complete"]


def test_a_frame_is_a_chunk_without_an_id() -> None:
    frame = RunEvent(type=LiveType.STREAM, run_id=Run().id, data="wo\nrd", step="s", attempt=1, epoch=1, offset=0)  # type: ignore[arg-type]
    shown = WORKFLOW_SSE.encode(frame).decode()
    assert not shown.startswith("id")
    told = parse_sse(shown)
    assert (told["event"], told["data"]["chunk"], told["data"]["offset"]) == ("llm_chunk", "wo\nrd", 0)


async def test_a_chat_is_told_as_chunks_and_calls_of_tools_by_their_names(run: Run, member: Person) -> None:
    call = {"id": "c1", "name": "read_file", "arguments": {"path": "a.py"}}
    reply = {"message": {"role": "assistant", "content": "I look.", "tool_calls": [call]}}
    await awrite(run.id, "step:start", step="work", attempt=1, kind="stream")
    await awrite(run.id, "step:complete", step="work", attempt=1, output=reply)
    await awrite(run.id, "step:complete", step="work: calls#1", attempt=1, output=[{}])
    await awrite(run.id, "step:start", step="work: read_file#1.1", attempt=1, kind="run")
    await awrite(run.id, "step:complete", step="work: read_file#1.1", attempt=1, output="print()")
    await awrite(run.id, "step:fail", step="work: edit_file#1.2", attempt=1,
                 error={"type": "ToolRefused", "message": "Not there."})  # fmt: skip
    await awrite(run.id, "run:complete", output={"success": False, "message": "enough", "iterations": 2, "edits": [1]})
    client = ApiClient(member.bearer | SSE | {"Last-Event-ID": "6"})
    response = await client.get(f"/api/workflows/{run.id}/events")
    found = [parse_sse(chunk) async for chunk in chunks(response) if "event:" in chunk]
    assert found.pop(0)["event"] == "step:start"  # the model's turn, which is no call of a tool
    told = [(one["event"], one["data"]) for one in found]
    assert [name for name, _ in told] == ["tool_call", "tool_result", "tool_result", "complete"]
    assert (told[0][1]["toolName"], told[0][1]["params"]) == ("read_file", {"path": "a.py"})
    assert [(one["toolName"], one["success"], one["output"]) for _, one in told[1:3]] == [
        ("read_file", True, "print()"), ("edit_file", False, "Not there."),
    ]  # fmt: skip
    end = told[-1][1]
    assert (end["success"], end["message"], end["iterations"], end["edits"]) == (False, "enough", 2, [1])


@pytest.mark.parametrize(
    ("frame", "told"),
    [({"type": "text", "text": "wo"}, [("llm_chunk", "wo")]), ({"type": "reasoning", "text": "hm"}, []),
     ({"type": "status", "text": "x"}, [("llm_chunk", {"type": "status", "text": "x"})])],
)  # fmt: skip
def test_the_text_of_a_model_comes_in_chunks(frame: Any, told: list[Any]) -> None:
    event = RunEvent(type=LiveType.STREAM, run_id=Run().id, data=frame, step="s", attempt=1, epoch=1, offset=0)
    assert [(name, said["chunk"]) for name, said in tell(event)] == told


@pytest.mark.parametrize("slash", ["", "/"])
async def test_the_anonymous_and_strangers_are_refused(run: Run, slash: str) -> None:
    address = f"/api/workflows/{run.id}/events{slash}"
    stranger = await amake_person("stranger", await Group.objects.acreate(name="others"))
    assert (await AsyncClient().get(address)).status_code == 401
    assert (await ApiClient(stranger.bearer).get(address)).status_code == 404
    assert (await stranger.client().get(address)).status_code == 404


async def test_only_server_sent_events_are_offered(run: Run, member: Person) -> None:
    answer = await ApiClient(member.bearer | {"Accept": "application/json"}).get(f"/api/workflows/{run.id}/events")
    assert (answer.status_code, answer.json()["error"]["code"]) == (406, "not_acceptable")
    assert (await ApiClient(member.bearer).post(f"/api/workflows/{run.id}/events")).status_code == 405
