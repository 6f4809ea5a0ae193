"""`/ag-ui/ws`, framed as TanStack AI's client does it."""

import json
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.test import override_settings

from perdure.accounts.models import ApiToken
from perdure.agui.live import sockets
from perdure.agui.models import ProtocolRun
from runs.models import Run
from runs.testing import drain
from tests.agui.conftest import say
from tests.agui.reading import Screen
from tests.live.conftest import _nothing_stays_open, bus, connect
from tests.live.people import Person, make_person
from tests.live.sockets import Socket

__all__ = ["_nothing_stays_open", "bus", "connect"]

pytestmark = pytest.mark.django_db(transaction=True)
ADDRESS = "/ag-ui/ws"
adrain = sync_to_async(drain)


@pytest.fixture
def ann(db: None) -> Person:
    return make_person("ann")


def run_input(run_id: str, text: str, job: str = "talk-echo", thread_id: str = "t", **more: Any) -> str:
    message = {"id": f"m-{run_id}", "role": "user", "content": text}
    body = {"threadId": thread_id, "runId": run_id, "messages": [message], "protocolVersion": "1.0", "state": {}}
    return json.dumps(body | {"tools": [], "context": [], "forwardedProps": {"job": job}} | more)


async def take(socket: Socket, screen: Screen) -> dict[str, Any]:
    frame = await socket.message()
    event = frame.get("chunk", frame)
    screen.take(frame.get("id", "") if "chunk" in frame else "", event)
    return dict(event)


async def take_all(socket: Socket, screen: Screen) -> Screen:
    while (await take(socket, screen))["type"] not in ("RUN_FINISHED", "RUN_ERROR"):
        pass
    return screen


async def refusal(socket: Socket) -> tuple[str, int]:
    event = await socket.message()
    assert event["type"] == "RUN_ERROR"
    output = await socket.receive_output()
    assert output["type"] == "websocket.close"
    return event["code"], output["code"]


async def test_a_conversation_goes_on_over_one_socket(connect: Any, ann: Person) -> None:
    socket, screen = await connect(ADDRESS, ann), Screen()
    for number, text in enumerate(("one", "two"), start=1):
        await socket.send_to(text_data=run_input(f"r{number}", text))
        assert (await take(socket, screen))["runId"] == f"r{number}"
        await adrain()
        await take_all(socket, screen)
    assert screen.texts == ["You said: one", "You said: two"]
    assert len(set(screen.ids)) == len(screen.ids)


async def test_a_token_that_only_reads_is_told_of_runs_and_begins_none(connect: Any, ann: Person) -> None:
    socket = await connect(ADDRESS, ann)
    await socket.send_to(text_data=run_input("r1", "one"))
    await take(socket, Screen())
    await sync_to_async(ApiToken.objects.update)(scope="read")
    await adrain()
    whole = await take_all(await connect(f"{ADDRESS}?runId=r1&offset=-1", token=ann.token), Screen())
    assert whole.texts == ["You said: one"]
    assert await refusal(await connect(ADDRESS, token=ann.token)) == ("PERMISSION_DENIED", 4403)
    assert await Run.objects.acount() == 1


async def test_an_abort_stops_the_run(connect: Any, ann: Person) -> None:
    socket, screen = await connect(ADDRESS, ann), Screen()
    await socket.send_to(text_data=run_input("r1", "one"))
    await take(socket, screen)
    await socket.send_to(text_data='{"type": "abort", "runId": "r1"}')
    assert (await take_all(socket, screen)).end["outcome"] == {"type": "cancelled"}
    assert (await Run.objects.aget()).status == "cancelled"


async def test_an_abort_on_the_heels_of_its_input_stops_the_run(connect: Any, ann: Person) -> None:
    socket, screen = await connect(ADDRESS, ann), Screen()
    await socket.send_to(text_data=run_input("r1", "one"))
    await socket.send_to(text_data='{"type": "abort", "runId": "r1"}')
    assert (await take_all(socket, screen)).end.get("outcome") == {"type": "cancelled"}
    assert (await Run.objects.aget()).status == "cancelled"


async def test_who_leaves_cancels_nothing_and_goes_on_at_any_event(connect: Any, ann: Person) -> None:
    socket, screen = await connect(ADDRESS, ann), Screen()
    await socket.send_to(text_data=run_input("r1", "one"))
    await take(socket, screen)
    await socket.disconnect()
    await adrain()
    whole = await take_all(await connect(f"{ADDRESS}?runId=r1&offset=-1", ann), Screen())
    for place, last_id in enumerate(whole.ids[:-1], start=1):
        again = await connect(f"{ADDRESS}?runId=r1&offset={last_id}", ann)
        frames = await again.events()
        assert [frame["chunk"] for frame in frames] == whole.events[place:]
    assert whole.texts == ["You said: one"]
    assert (await Run.objects.aget()).status == "completed"


async def test_the_same_run_sent_again_is_told_and_not_begun_again(connect: Any, ann: Person) -> None:
    socket = await connect(ADDRESS, ann)
    for _ in range(2):
        await socket.send_to(text_data=run_input("r1", "one"))
        assert (await take(socket, Screen()))["type"] == "RUN_STARTED"
    assert await ProtocolRun.objects.acount() == await Run.objects.acount() == 1


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        ({"messages": 1}, "INVALID_INPUT"),
        ({"job": "no-such-job"}, "AGENT_NOT_FOUND"),
        ({"thread_id": "theirs"}, "THREAD_NOT_FOUND"),
    ],
)
async def test_what_cannot_be_run_is_answered_with_an_error_and_the_socket_stays(
    connect: Any, ann: Person, sent: dict[str, Any], code: str
) -> None:
    await sync_to_async(lambda: say(make_person("bob").user, "theirs", "hello"))()
    socket = await connect(ADDRESS, ann)
    await socket.send_to(text_data=run_input("r1", "one", **sent))
    event = await socket.message()
    assert (event["type"], event["code"]) == ("RUN_ERROR", code)
    await socket.send_to(text_data='{"type": "ping"}')
    assert await socket.message() == {"type": "pong"}
    assert await Run.objects.acount() == 1


async def test_an_address_of_nothing_is_refused_with_its_code(connect: Any, ann: Person) -> None:
    await sync_to_async(lambda: say(make_person("bob").user, "theirs", "hello", run_id="theirs"))()
    for run_id in ("nothing", "theirs"):
        assert await refusal(await connect(f"{ADDRESS}?runId={run_id}&offset=-1", ann)) == ("RUN_NOT_FOUND", 4404)
    await sync_to_async(lambda: say(ann.user, "mine", "hello", run_id="mine"))()
    assert await refusal(await connect(f"{ADDRESS}?runId=mine&offset=x", ann)) == ("INVALID_INPUT", 4400)


async def test_nobody_and_nonsense_are_closed_out(connect: Any, ann: Person) -> None:
    assert await refusal(await connect(ADDRESS, token="pdr_no")) == ("UNAUTHORIZED", 4401)
    anonymous = await connect(ADDRESS)
    await anonymous.send_to(text_data=run_input("r1", "one"))
    assert await refusal(anonymous) == ("UNAUTHORIZED", 4401)
    signed_in = await connect(ADDRESS, token=ann.token)
    await signed_in.send_to(text_data="no json")
    assert await refusal(signed_in) == ("INVALID_INPUT", 4400)
    with override_settings(AG_UI_MAX_INPUT_BYTES=1000):
        large = await connect(ADDRESS, ann)
        await large.send_to(text_data=run_input("r1", "x" * 1000))
        assert await refusal(large) == ("INVALID_INPUT", 4413)
    assert not await Run.objects.aexists()


async def test_a_quiet_socket_is_pinged_and_closed_when_nobody_talks(
    connect: Any, ann: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sockets, "PING_SECONDS", 0.02)
    pinged = await connect(ADDRESS, ann)
    assert await pinged.message() == {"type": "ping"}
    monkeypatch.setattr(sockets, "IDLE_SECONDS", 0.0)
    code, _ = await (await connect(ADDRESS, ann)).closed()
    assert code == 1000
