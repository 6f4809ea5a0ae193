"""`/ws/runs/{id}/` and `/ws/runs/`, through the whole ASGI application."""

from typing import Any

import pytest
from django.contrib.auth.models import Group

from perdure.accounts.models import ApiToken
from perdure.asgi import application
from runs import clock
from runs.live import feed, permits, sockets
from runs.models import Run
from runs.worker.frames import Frames
from tests.live.conftest import speak
from tests.live.logs import abegin_attempt, amake_run, awrite
from tests.live.people import Person, amake_person
from tests.live.sockets import HOST, Socket

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
async def member() -> Person:
    return await amake_person("member", await Group.objects.acreate(name="team"))


@pytest.fixture
async def run(member: Person) -> Run:
    run = await amake_run(team=await Group.objects.aget(name="team"))
    await awrite(run.id, "run:queued", "run:start")
    return run


def path(run: Run | str, query: str = "") -> str:
    return f"/ws/runs/{run.id if isinstance(run, Run) else run}/{query}"


async def test_each_message_is_one_envelope_and_the_socket_closes_after_the_last(
    connect: Any, run: Run, member: Person
) -> None:
    socket = await connect(path(run, "?after=1"), member)
    assert (await socket.message())["sequence"] == 2
    await awrite(run.id, "log:write", "run:complete")
    rest = await socket.events()
    assert [event["sequence"] for event in rest] == [3, 4]
    assert rest[0].keys() == {"sequence", "type", "run_id", "step", "attempt", "data", "created_at"}


async def test_a_reconnected_socket_gets_the_whole_partial_stream_behind_a_reset(
    connect: Any, run: Run, member: Person, driver: Frames
) -> None:
    await abegin_attempt(run.id, "write", 1, epoch=1)
    driver.open(run.id, "write", 1, 1)
    for letter in "abc":
        speak(driver, run.id, "write", 1, 1, letter)
    for _ in range(2):
        socket = await connect(path(run, "?after=3"), member)
        received = [await socket.message() for _ in range(4)]
        assert [event["type"] for event in received] == ["stream:reset", "stream", "stream", "stream"]
        assert [event["data"] for event in received[1:]] == ["a", "b", "c"]
        await socket.disconnect()


@pytest.mark.parametrize("way", ["session", "subprotocol", "first message"])
async def test_people_sign_in_by_session_subprotocol_or_first_message(
    connect: Any, run: Run, member: Person, way: str
) -> None:
    if way == "session":
        socket = await connect(path(run), member)
    elif way == "subprotocol":
        socket = await connect(path(run), token=member.token)
    else:
        socket = await connect(path(run))
        await socket.send_json_to({"type": "auth", "token": member.token})
    assert (await socket.message())["sequence"] == 1


async def test_a_stranger_sees_the_same_as_for_no_run_at_all(connect: Any, run: Run) -> None:
    stranger = await amake_person("stranger", await Group.objects.acreate(name="others"))
    for address in (path(run), path("01900000-0000-7000-8000-000000000000"), path("not-an-id")):
        socket = await connect(address, stranger)
        assert await socket.closed() == (4404, "run_not_found")


@pytest.mark.parametrize("address", ["/ws/", "/ws/nothing/", "/ws/runs/a/b/", "/other"])
async def test_an_unknown_address_is_closed_with_a_code(connect: Any, address: str) -> None:
    assert await (await connect(address)).closed() == (4404, "not_found")


@pytest.mark.parametrize("address", ["/ws/runs/", "/ws/runs/01900000-0000-7000-8000-000000000000/"])
async def test_the_anonymous_are_refused(connect: Any, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    socket = await connect(address)
    await socket.send_json_to({"type": "ping"})
    assert await socket.closed() == (4401, "not_authenticated")
    socket = await connect(address)
    await socket.send_json_to({"type": "auth", "token": "nonsense"})
    assert await socket.closed() == (4401, "token_invalid")
    assert await (await connect(address, token="nonsense")).closed() == (4401, "token_invalid")
    monkeypatch.setattr(sockets, "SIGN_IN_SECONDS", 0.05)
    assert await (await connect(address)).closed() == (4408, "sign_in_timeout")


async def test_a_refused_token_counts_although_a_session_came_along(connect: Any, run: Run, member: Person) -> None:
    assert await (await connect(path(run), member, token="nonsense")).closed() == (4401, "token_invalid")


@pytest.mark.parametrize("after", ["-1", "x", "", "1.5", "3", "99999999999999999999"])
async def test_a_malformed_cursor_is_refused(connect: Any, run: Run, member: Person, after: str) -> None:
    assert await (await connect(path(run, f"?after={after}"), member)).closed() == (4400, "invalid_cursor")


@pytest.mark.parametrize("text", ['""', "no json", "[]", "1", "[" * 50_000, '{"type": "unknown"}', "{}"])
async def test_a_message_that_is_not_understood_closes_the_socket(
    connect: Any, run: Run, member: Person, text: str
) -> None:
    socket = await connect(path(run), member)
    await socket.send_to(text_data=text)
    assert await socket.closed() == (4400, "invalid_message")


async def test_an_oversized_message_closes_the_socket(connect: Any, run: Run, member: Person) -> None:
    for data in ({"text_data": "ü" * 33_000}, {"bytes_data": b"x" * 65_537}):
        socket = await connect(path(run), member)
        await socket.send_to(**data)
        assert await socket.closed() == (4413, "message_too_big")


async def test_a_ping_is_answered(connect: Any, run: Run, member: Person) -> None:
    socket = await connect(path(run, "?after=2"), member)
    await socket.send_json_to({"type": "ping"})
    assert await socket.message() == {"type": "pong"}


async def test_a_page_of_another_site_opens_no_socket(run: Run, member: Person) -> None:
    headers = [HOST, (b"cookie", f"sessionid={member.session_key}".encode())]
    for origin, is_ours in ((b"https://evil.example", False), (b"http://localhost", True)):
        socket = Socket(application, path(run), headers=[*headers, (b"origin", origin)])
        accepted, _ = await socket.connect(timeout=60)
        assert accepted == is_ours
    await socket.disconnect()


async def test_a_revoked_token_ends_an_open_socket(
    connect: Any, run: Run, member: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(permits, "RECHECK_SECONDS", 0.1)
    one, many = await connect(path(run), token=member.token), await connect("/ws/runs/", token=member.token)
    await one.message()
    await many.message()
    await ApiToken.objects.aupdate(revoked_at=clock.now())
    assert await one.closed() == (4401, "token_invalid")
    assert await many.closed() == (4401, "token_invalid")


async def test_the_list_feed_begins_with_a_snapshot_and_goes_on_with_changed_rows(
    connect: Any, run: Run, member: Person
) -> None:
    hidden = await amake_run()
    socket = await connect("/ws/runs/", member)
    snapshot = await socket.message()
    assert snapshot["type"] == "snapshot"
    assert [(row["id"], row["status"], row["team"]) for row in snapshot["runs"]] == [(str(run.id), "running", "team")]
    await awrite(hidden.id, "run:queued")
    await awrite(run.id, "log:write")
    changed = await socket.message()
    assert (changed["type"], changed["run"]["id"], changed["run"]["last_sequence"]) == ("run", str(run.id), 3)
    new = await amake_run(owner=member.user)
    assert (await socket.message())["run"]["id"] == str(new.id)
    await awrite(run.id, "run:complete")
    assert (await socket.message())["run"]["status"] == "completed"
    await Run.objects.filter(pk=run.pk).adelete()
    assert await socket.message() == {"type": "delete", "id": str(run.id)}


async def test_rows_that_changed_lately_are_sent_again(
    connect: Any, run: Run, member: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "AGAIN_SECONDS", 0.3)
    socket = await connect("/ws/runs/", member)
    await socket.message()
    await awrite(run.id, "log:write")
    first = await socket.message()
    assert await socket.message() == first
