"""`/api/runs/{id}/events` as JSON page, server-sent events and NDJSON."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.contrib.sessions.models import Session
from django.http import HttpResponseBase
from django.test import AsyncClient, override_settings

from perdure.accounts.models import ApiToken
from runs import clock
from runs.live import permits
from runs.live.encodings import choose_encoding
from runs.models import Run
from runs.worker.frames import Frames
from tests.live.conftest import speak
from tests.live.logs import abegin_attempt, amake_run, aprune, awrite
from tests.live.people import ApiClient, Person, amake_person

pytestmark = pytest.mark.django_db(transaction=True)

SSE = {"Accept": "text/event-stream"}
NDJSON = {"Accept": "application/x-ndjson"}
FORMATS = pytest.mark.parametrize("accept", ["application/json", "text/event-stream", "application/x-ndjson"])


@pytest.fixture
async def member() -> Person:
    return await amake_person("member", await Group.objects.acreate(name="team"))


@pytest.fixture
async def run(member: Person) -> Run:
    run = await amake_run(team=await Group.objects.aget(name="team"), owner=member.user)
    await awrite(run.id, "run:queued", "run:start", "log:write", message="hello")
    return run


def address(run: Run | str, query: str = "") -> str:
    return f"/api/runs/{run.id if isinstance(run, Run) else run}/events{query}"


async def chunks(response: HttpResponseBase) -> AsyncIterator[str]:
    """The parts of a stream, one per event, however many of them travel together."""
    end = "\n\n" if response["Content-Type"] == SSE["Accept"] else "\n"
    async with asyncio.timeout(60):
        async for chunk in response:  # type: ignore[attr-defined]
            for part in chunk.decode().removesuffix(end).split(end):
                yield part + end


def parse_sse(chunk: str) -> dict[str, Any]:
    fields = dict(line.split(": ", 1) for line in chunk.strip().split("\n"))
    return fields | {"data": json.loads(fields["data"])} if "data" in fields else fields


async def test_a_json_page_holds_events_and_the_ways_on(run: Run, member: Person) -> None:
    client = ApiClient(member.bearer)
    first = (await client.get(address(run, "?limit=2"))).json()
    assert [event["sequence"] for event in first["results"]] == [1, 2]
    assert first["previous"] is None
    second = (await client.get(first["next"])).json()
    assert [event["sequence"] for event in second["results"]] == [3]
    assert second["next"] is None
    assert (await client.get(second["previous"])).json() == first
    assert first["results"][0].keys() == {"sequence", "type", "run_id", "step", "attempt", "data", "created_at"}
    assert (await client.get(address(run, "?limit=2").replace("events", "events/"))).json()["results"] == first[
        "results"
    ]


async def test_server_sent_events_carry_id_type_and_envelope_and_end_with_the_run(run: Run, member: Person) -> None:
    response = await ApiClient(member.bearer | SSE).get(address(run))
    assert response["Content-Type"] == "text/event-stream"
    assert response["Content-Encoding"] == "identity"
    assert response["X-Accel-Buffering"] == "no"
    received = []
    async for chunk in chunks(response):
        received.append(chunk)
        if len(received) == 4:
            await awrite(run.id, "run:complete")
    assert received[0] == "retry: 1000\n\n"
    events = [parse_sse(chunk) for chunk in received[1:]]
    assert [event["id"] for event in events] == ["1", "2", "3", "4"]
    assert [event["event"] for event in events] == ["run:queued", "run:start", "log:write", "run:complete"]
    assert all(event["data"]["sequence"] == int(event["id"]) for event in events)


async def test_the_last_event_id_counts_before_after(run: Run, member: Person) -> None:
    await awrite(run.id, "run:complete")
    response = await ApiClient(member.bearer | SSE | {"Last-Event-ID": "3"}).get(address(run, "?after=0"))
    assert [parse_sse(chunk).get("id") async for chunk in chunks(response)] == [None, "4"]


async def test_an_event_source_that_has_everything_is_told_not_to_come_back(run: Run, member: Person) -> None:
    await awrite(run.id, "run:complete")
    client = ApiClient(member.bearer | SSE | {"Last-Event-ID": "4"})
    assert (await client.get(address(run))).status_code == 204


async def test_ndjson_is_one_envelope_per_line(run: Run, member: Person) -> None:
    await awrite(run.id, "run:complete")
    response = await ApiClient(member.bearer | NDJSON).get(address(run, "?after=1"))
    lines = "".join([chunk async for chunk in chunks(response)]).splitlines()
    assert [json.loads(line)["sequence"] for line in lines] == [2, 3, 4]


async def test_all_formats_give_the_same_envelopes(run: Run, member: Person) -> None:
    await awrite(run.id, "run:complete")
    client = ApiClient(member.bearer)
    page = (await client.get(address(run))).json()["results"]
    sse = [parse_sse(chunk) async for chunk in chunks(await client.get(address(run), headers=SSE))]
    lines = [json.loads(chunk) async for chunk in chunks(await client.get(address(run), headers=NDJSON))]
    assert [event["data"] for event in sse[1:]] == page == lines


async def test_stream_frames_have_no_id_so_that_nobody_continues_from_them(
    run: Run, member: Person, driver: Frames
) -> None:
    await abegin_attempt(run.id, "write", 1, epoch=1)
    driver.open(run.id, "write", 1, 1)
    speak(driver, run.id, "write", 1, 1, {"text": "Hi"})
    response = await ApiClient(member.bearer | SSE).get(address(run, "?after=4"))
    events = []
    async for chunk in chunks(response):
        events.append(parse_sse(chunk))
        if events[-1].get("event") == "stream":
            await awrite(run.id, "run:cancel")
    assert [(event.get("id"), event.get("event")) for event in events[1:]] == [
        (None, "stream:reset"),
        (None, "stream"),
        ("5", "run:cancel"),
    ]
    frame = events[2]["data"]
    assert (frame["epoch"], frame["attempt"], frame["offset"], frame["data"]) == (1, 1, 0, {"text": "Hi"})
    assert "sequence" not in frame


async def test_a_quiet_stream_has_heartbeats(run: Run, member: Person) -> None:
    with override_settings(RUNS_HEARTBEAT_SECONDS=0.1):
        response = await ApiClient(member.bearer | SSE).get(address(run, "?after=3"))
        received = chunks(response)
        assert [await anext(received) for _ in range(3)] == ["retry: 1000\n\n", ": heartbeat\n\n", ": heartbeat\n\n"]
        await received.aclose()  # type: ignore[attr-defined]


async def test_a_stream_with_a_pruned_cursor_says_what_is_missing_and_goes_on(run: Run, member: Person) -> None:
    await awrite(run.id, "run:complete")
    await aprune(run.id, first=3)
    client = ApiClient(member.bearer)
    events = [parse_sse(chunk) async for chunk in chunks(await client.get(address(run), headers=SSE))]
    assert [event["event"] for event in events[1:]] == ["gap", "log:write", "run:complete"]
    assert events[1]["data"]["data"] == {"after": 0, "first_sequence": 3}
    page = await client.get(address(run, "?after=1"))
    assert page.status_code == 410
    assert page.json()["error"]["code"] == "history_pruned"
    assert page.json()["error"]["details"] == {"first_sequence": 3}
    assert (await client.get(address(run, "?after=2"))).status_code == 200


@FORMATS
async def test_each_person_sees_only_what_they_may(run: Run, member: Person, accept: str) -> None:
    await awrite(run.id, "run:complete")
    colleague = await amake_person("colleague", await Group.objects.aget(name="team"))
    stranger = await amake_person("stranger", await Group.objects.acreate(name="others"))
    headers = {"Accept": accept}
    statuses = {
        "anonymous": await AsyncClient().get(address(run), headers=headers),
        "member": await ApiClient(member.bearer).get(address(run), headers=headers),
        "session": await member.client().get(address(run), headers=headers),
        "colleague": await ApiClient(colleague.bearer).get(address(run), headers=headers),
        "stranger": await ApiClient(stranger.bearer).get(address(run), headers=headers),
        "nobody's run": await ApiClient(member.bearer).get(
            address("01900000-0000-7000-8000-000000000000"), headers=headers
        ),
        "no id": await ApiClient(member.bearer).get(address("not-an-id"), headers=headers),
        "bad token": await member.client().get(address(run), headers=headers | {"Authorization": "Bearer nonsense"}),
    }
    assert {name: response.status_code for name, response in statuses.items()} == {
        "anonymous": 401,
        "member": 200,
        "session": 200,
        "colleague": 200,
        "stranger": 404,
        "nobody's run": 404,
        "no id": 404,
        "bad token": 401,
    }
    assert statuses["anonymous"].json()["error"]["code"] == "not_authenticated"
    assert statuses["anonymous"]["WWW-Authenticate"] == "Bearer"
    assert statuses["bad token"].json()["error"]["code"] == "token_invalid"
    assert statuses["stranger"].json()["error"]["code"] == "run_not_found"
    for response in statuses.values():
        if response.streaming:
            [_ async for _ in chunks(response)]


@FORMATS
@pytest.mark.parametrize(
    ("query", "headers", "status", "code"),
    [
        ("?after=-1", {}, 400, "invalid_cursor"),
        ("?after=x", {}, 400, "invalid_cursor"),
        ("?after=", {}, 400, "invalid_cursor"),
        ("?after=1.5", {}, 400, "invalid_cursor"),
        ("?after=٣", {}, 400, "invalid_cursor"),
        ("?after=99999999999999999999", {}, 400, "invalid_cursor"),
        ("?after=4", {}, 400, "invalid_cursor"),
        ("", {"Last-Event-ID": "abc"}, 400, "invalid_cursor"),
        ("?after=1", {"Last-Event-ID": "-3"}, 400, "invalid_cursor"),
        ("", {"Accept": "image/png"}, 406, "not_acceptable"),
        ("", {"Accept": "application/json;q=0"}, 406, "not_acceptable"),
    ],
)
async def test_bad_input_is_refused_in_the_error_shape(
    run: Run, member: Person, accept: str, query: str, headers: dict[str, str], status: int, code: str
) -> None:
    client = ApiClient(member.bearer)
    response = await client.get(address(run, query), headers={"Accept": accept} | headers)
    assert response.status_code == status
    error = response.json()["error"]
    assert error.keys() == {"code", "message", "details"}
    assert error["code"] == code
    assert error["message"].endswith(".")


@pytest.mark.parametrize("limit", ["0", "1001", "x", "-1", ""])
async def test_a_bad_limit_is_refused(run: Run, member: Person, limit: str) -> None:
    response = await ApiClient(member.bearer).get(address(run, f"?limit={limit}"))
    assert (response.status_code, response.json()["error"]["code"]) == (400, "invalid_limit")


async def test_events_can_only_be_read(run: Run, member: Person) -> None:
    response = await ApiClient(member.bearer).post(address(run), {})
    assert (response.status_code, response.json()["error"]["code"]) == (405, "method_not_allowed")
    assert response["Allow"] == "GET, HEAD"


async def test_head_gives_the_headers_of_a_stream_and_ends(run: Run, member: Person) -> None:
    response = await ApiClient(member.bearer).head(address(run), headers=SSE)
    assert (response.status_code, response["Content-Type"], response.content) == (200, "text/event-stream", b"")


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        ("", "application/json"),
        ("*/*", "application/json"),
        ("text/html,application/xhtml+xml,*/*;q=0.8", "application/json"),
        ("text/*", "text/event-stream"),
        ("text/event-stream, */*;q=0.1", "text/event-stream"),
        ("application/json;q=0.5, application/x-ndjson", "application/x-ndjson"),
        ("application/*;q=0.2, application/x-ndjson;q=0", "application/json"),
        ("Application/X-NDJSON; charset=utf-8", "application/x-ndjson"),
    ],
)
def test_the_accept_header_chooses_the_format(accept: str, media_type: str) -> None:
    chosen = choose_encoding(accept)
    assert chosen is not None
    assert chosen.media_type == media_type


@pytest.mark.parametrize("how", ["revoked", "expired", "signed out", "left the team", "deactivated"])
async def test_an_open_stream_ends_when_its_reader_may_not_watch_any_more(
    run: Run, member: Person, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(permits, "RECHECK_SECONDS", 0.1)
    await Run.objects.filter(pk=run.pk).aupdate(owner=None)
    client = member.client() if how == "signed out" else ApiClient(member.bearer)
    received = chunks(await client.get(address(run), headers=NDJSON))
    assert [json.loads(await anext(received))["sequence"] for _ in range(3)] == [1, 2, 3]
    if how == "revoked":
        await ApiToken.objects.aupdate(revoked_at=clock.now())
    elif how == "expired":
        await ApiToken.objects.aupdate(expires_at=clock.now())
    elif how == "signed out":
        await Session.objects.all().adelete()
    elif how == "left the team":
        await member.user.groups.aclear()
    else:
        member.user.is_active = False
        await member.user.asave()
    assert [chunk async for chunk in received] == []
