"""`GET /ag-ui/stream/{run_id}`: a protocol run told live, told again, and told on from any of its events."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.test import AsyncClient

from perdure.accounts.models import ApiToken
from perdure.agui import stream as streams
from perdure.agui import telling
from perdure.agui.models import ProtocolRun, Turn
from runs.live import permits
from runs.models import Run
from runs.worker.frames import Frames
from tests.agui.conftest import say
from tests.agui.reading import Screen, parse, read_blocks, show
from tests.live.conftest import _nothing_stays_open, bus, driver, speak, until, until_watched
from tests.live.logs import abegin_attempt, aprune, awrite, write
from tests.live.people import ApiClient, Person, make_person

__all__ = ["_nothing_stays_open", "bus", "driver"]

pytestmark = pytest.mark.django_db(transaction=True)
STEP = "answer"
SECONDS_AT_MOST = 60


@pytest.fixture
def ann(db: None) -> Person:
    return make_person("ann")


@pytest.fixture
def turn(ann: Person) -> Turn:
    return say(ann.user, "thread-1", "Hello", run_id="r1", state={})


def address(run_id: str = "r1") -> str:
    return f"/ag-ui/stream/{run_id}"


def run_of(turn: Turn) -> UUID:
    assert turn.run_id is not None
    return turn.run_id


def write_whole(turn: Turn, text: str = "You said Hello") -> None:
    """The log of a run whose one step said that."""
    run = run_of(turn)
    write(run, "run:start")
    write(run, "step:start", step=STEP, attempt=1, kind="stream")
    write(run, "step:complete", step=STEP, attempt=1, kind="stream", output=text, frames=3)
    write(run, "run:complete", output=text)


async def read(person: Person, path: str, screen: Screen | None = None, last_id: str = "") -> Screen:
    """A client that reads to the end."""
    async with asyncio.timeout(SECONDS_AT_MOST):
        headers = {"Last-Event-ID": last_id} if last_id else {}
        response = await ApiClient(person.bearer).get(path, headers=headers)
        assert response.status_code == 200, response.content
        return show([block async for block in read_blocks(response)], screen)


class Reader:
    """A client in a task of its own; `cut` closes its connection."""

    def __init__(self, person: Person, path: str = address(), screen: Screen | None = None) -> None:
        self.screen = screen or Screen()
        self.task = asyncio.create_task(self._read(person, path))

    async def _read(self, person: Person, path: str) -> None:
        headers = {"Last-Event-ID": self.screen.last_id} if self.screen.last_id else {}
        response = await ApiClient(person.bearer).get(path, headers=headers)
        assert response.status_code == 200
        async for block in read_blocks(response):
            if (found := parse(block)) is not None:
                self.screen.take(*found)

    async def until_said(self, text: str) -> None:
        await until(lambda: self.task.done() or text in "".join(self.screen.texts))
        assert text in "".join(self.screen.texts), self.task.result()

    async def cut(self) -> Screen:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)
        return self.screen

    async def end(self) -> Screen:
        async with asyncio.timeout(SECONDS_AT_MOST):
            await self.task
        return self.screen


async def test_what_a_step_streams_is_told_as_it_comes(ann: Person, turn: Turn, driver: Frames) -> None:
    run = run_of(turn)
    await awrite(run, "run:start")
    await abegin_attempt(run, STEP, 1, 1)
    driver.open(run, STEP, 1, 1)
    reader = Reader(ann)
    await until_watched(driver, run)
    for word in ("You ", "said "):
        speak(driver, run, STEP, 1, 1, word)
    await reader.until_said("You said ")
    await awrite(run, "step:complete", step=STEP, attempt=1, kind="stream", output="You said Hello", frames=2)
    await awrite(run, "run:complete", output="You said Hello")
    screen = await reader.end()
    assert screen.texts == ["You said Hello"]
    assert screen.types[0] == "RUN_STARTED"
    assert screen.end["type"] == "RUN_FINISHED"
    assert screen.end["result"] == "You said Hello"
    assert len(set(screen.ids)) == len(screen.ids)


async def test_from_any_event_on_exactly_the_rest_is_told(ann: Person, turn: Turn) -> None:
    await sync_to_async(write_whole)(turn)
    whole = await read(ann, address())
    assert whole.texts == ["You said Hello"]
    for place, last_id in enumerate(whole.ids[:-1], start=1):
        response = await ApiClient(ann.bearer | {"Last-Event-ID": last_id}).get(address())
        rest = [parse(block) async for block in read_blocks(response)]
        assert rest == list(zip(whole.ids[place:], whole.events[place:], strict=True)), whole.types[place - 1]


async def test_who_has_it_all_is_told_the_end_once_more_without_an_id(ann: Person, turn: Turn) -> None:
    await sync_to_async(write_whole)(turn)
    whole = await read(ann, address())
    response = await ApiClient(ann.bearer | {"Last-Event-ID": whole.last_id}).get(address())
    assert [parse(block) async for block in read_blocks(response)] == [("", whole.end)]


@pytest.mark.parametrize("heard", [1, 2])
@pytest.mark.parametrize("before_its_end", [True, False])
async def test_a_stream_that_is_cut_within_an_answer_goes_on_where_it_was_cut(
    ann: Person, turn: Turn, driver: Frames, heard: int, before_its_end: bool
) -> None:
    run, words = run_of(turn), ["You ", "said ", "Hello"]
    await awrite(run, "run:start")
    await abegin_attempt(run, STEP, 1, 1)
    driver.open(run, STEP, 1, 1)
    reader = Reader(ann)
    await until_watched(driver, run)
    for word in words[:heard]:
        speak(driver, run, STEP, 1, 1, word)
    await reader.until_said(words[heard - 1])
    screen = await reader.cut()
    again = Reader(ann, screen=screen) if before_its_end else None
    for word in words[heard:]:
        speak(driver, run, STEP, 1, 1, word)
    if again is not None:
        await again.until_said("Hello")
    await awrite(run, "step:complete", step=STEP, attempt=1, kind="stream", output="You said Hello", frames=3)
    await awrite(run, "run:complete", output="You said Hello")
    screen = await (again or Reader(ann, screen=screen)).end()
    assert screen.texts == ["You said Hello"]
    assert screen.end["type"] == "RUN_FINISHED"


async def test_who_leaves_cancels_nothing(ann: Person, turn: Turn) -> None:
    await awrite(run_of(turn), "run:start")
    reader = Reader(ann)
    await until(lambda: reader.screen.is_running)
    await reader.cut()
    assert (await Run.objects.aget(pk=turn.run_id)).status == "running"


async def test_a_deleted_run_ends_its_streams_with_an_error(ann: Person, turn: Turn, driver: Frames) -> None:
    run = run_of(turn)
    await awrite(run, "run:start")
    reader = Reader(ann)
    await until_watched(driver, run)
    await sync_to_async(Run.objects.filter(pk=run).delete)()
    screen = await reader.end()
    assert screen.end["type"] == "RUN_ERROR"
    assert screen.end["code"] == "RUN_NOT_FOUND"


async def test_a_revoked_token_ends_its_streams_with_an_error(
    ann: Person, turn: Turn, driver: Frames, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(permits, "RECHECK_SECONDS", 0.05)
    run = run_of(turn)
    await awrite(run, "run:start")
    reader = Reader(ann)
    await until_watched(driver, run)
    await ApiToken.objects.filter(user=ann.user).adelete()
    assert (await reader.end()).end["code"] == "UNAUTHORIZED"


@pytest.mark.parametrize("fails", ["feed", "begin"])
async def test_our_own_failure_ends_the_stream_with_an_error_that_tells_nothing(
    ann: Person, turn: Turn, monkeypatch: pytest.MonkeyPatch, fails: str
) -> None:
    def fail(*_: Any) -> None:
        raise ZeroDivisionError("secret")

    await sync_to_async(write_whole)(turn)
    monkeypatch.setattr(telling.Teller, fails, fail)
    response = await ApiClient(ann.bearer).get(address())
    text = "".join([block async for block in read_blocks(response)])
    assert "secret" not in text
    assert '"type":"RUN_ERROR"' in text.split("data: ")[-1]
    assert '"code":"INTERNAL_ERROR"' in text


async def test_a_silent_run_is_kept_alive_by_comments(ann: Person, turn: Turn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "KEEP_ALIVE_SECONDS", 0.02)
    monkeypatch.setattr(streams, "_LOOK_SECONDS", 0.02)
    await awrite(run_of(turn), "run:start")
    response = await ApiClient(ann.bearer).get(address())
    async with asyncio.timeout(SECONDS_AT_MOST):
        blocks = read_blocks(response)
        found = [block async for block in first(blocks, 3)]
    assert ": keep-alive" in found
    await blocks.aclose()  # type: ignore[attr-defined]


async def first(blocks: AsyncIterator[str], count: int) -> AsyncIterator[str]:
    async for block in blocks:
        yield block
        count -= 1
        if not count:
            return


async def test_proxies_are_told_to_hold_nothing(ann: Person, turn: Turn) -> None:
    await sync_to_async(write_whole)(turn)
    response = await ApiClient(ann.bearer).get(address())
    assert response["Content-Type"] == "text/event-stream"
    assert response["Cache-Control"] == "no-cache, no-transform"
    assert response["X-Accel-Buffering"] == "no"
    assert response["x-ag-ui-run-id"] == "r1"
    assert response["x-ag-ui-session-id"] == str(turn.pk)
    async for _ in read_blocks(response):
        pass


async def test_a_run_is_nobody_elses_to_read(ann: Person, turn: Turn, stranger: User) -> None:
    anonymous = await AsyncClient().get(address())
    assert (anonymous.status_code, anonymous.json()["error"]["code"]) == (401, "UNAUTHORIZED")
    other = await sync_to_async(make_person)("bob")
    found = [await ApiClient(other.bearer).get(path) for path in (address(), address("nothing"))]
    assert [one.status_code for one in found] == [404, 404]
    assert {one.json()["error"]["code"] for one in found} == {"RUN_NOT_FOUND"}


@pytest.mark.parametrize(
    "place",
    ["x", "1", "1.x", "999999.3", "x.3", "{part}.99999", "-1.-1", "{part}.9" + "9" * 40, "{part}s9.1", "{part}s.1"],
)
async def test_a_place_that_was_never_told_is_refused(ann: Person, turn: Turn, place: str) -> None:
    part = await ProtocolRun.objects.aget(run_id="r1")
    headers = {"Last-Event-ID": place.format(part=part.pk)}
    response = await ApiClient(ann.bearer | headers).get(address())
    assert (response.status_code, response.json()["error"]["code"]) == (400, "INVALID_INPUT")


async def test_what_is_too_long_to_be_told_again_begins_with_all_that_was_said(
    ann: Person, turn: Turn, settings: Any
) -> None:
    await sync_to_async(write_whole)(turn)
    settings.AG_UI_MAX_EVENTS_PER_SESSION = 1
    screen = await read(ann, address())
    assert screen.types == ["RUN_STARTED", "STATE_SNAPSHOT", "MESSAGES_SNAPSHOT", "RUN_FINISHED"]
    assert screen.texts == ["You said Hello"]


@pytest.mark.parametrize("room", [2, 3, 5, 7])
async def test_a_long_run_that_is_told_from_its_midst_goes_on_from_any_event_too(
    ann: Person, turn: Turn, settings: Any, room: int
) -> None:
    def write_long() -> None:
        run = run_of(turn)
        write(run, "run:start")
        for step in ("one", "two"):
            write(run, "step:start", step=step, attempt=1, kind="stream")
        for step in ("one", "two"):
            write(run, "state:patch", patch=[{"op": "add", "path": f"/{step}", "value": 1}])
            write(run, "step:complete", step=step, attempt=1, kind="stream", output=f"said {step}", frames=3)
        write(run, "run:complete", output="said two")

    await sync_to_async(write_long)()
    settings.AG_UI_MAX_EVENTS_PER_SESSION = room
    whole = await read(ann, address())
    assert whole.types[:3] == ["RUN_STARTED", "STATE_SNAPSHOT", "MESSAGES_SNAPSHOT"]
    assert (whole.texts, whole.end["type"]) == (["said one", "said two"], "RUN_FINISHED")
    for place, last_id in enumerate(whole.ids[:-1], start=1):
        response = await ApiClient(ann.bearer | {"Last-Event-ID": last_id}).get(address())
        rest = [parse(block) async for block in read_blocks(response)]
        assert rest == list(zip(whole.ids[place:], whole.events[place:], strict=True)), whole.types[place - 1]


async def test_a_log_that_is_gone_is_told_by_the_transcript(ann: Person, turn: Turn) -> None:
    await sync_to_async(write_whole)(turn)
    whole = await read(ann, address())
    await sync_to_async(settle)(turn)
    await aprune(run_of(turn), 4)
    screen = await read(ann, address())
    assert screen.types == ["RUN_STARTED", "STATE_SNAPSHOT", "MESSAGES_SNAPSHOT", "RUN_FINISHED"]
    assert screen.texts == whole.texts
    assert set(screen.ids) == {""}
    refused = await ApiClient(ann.bearer | {"Last-Event-ID": whole.ids[1]}).get(address())
    assert (refused.status_code, refused.json()["error"]["code"]) == (410, "SESSION_EXPIRED")


def settle(turn: Turn) -> None:
    from perdure.agui.transcript import settle

    settle(Turn.objects.get(pk=turn.pk))
