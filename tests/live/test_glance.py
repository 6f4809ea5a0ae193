"""A client to which every live line is blocked asks the events page, which tells what streams besides."""

import json
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import AsyncClient

from runs.live import glance
from runs.models import Attempt, Run
from runs.worker.frames import Frames
from tests.live.conftest import speak
from tests.live.logs import abegin_attempt, amake_run, awrite
from tests.live.people import ApiClient, Person, amake_person

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
async def member() -> Person:
    return await amake_person("member", await Group.objects.acreate(name="team"))


@pytest.fixture
async def run(member: Person, driver: Frames) -> Run:
    """Its step `write` streams, event 2 told of its start."""
    run = await amake_run(team=await Group.objects.aget(name="team"), owner=member.user)
    await awrite(run.id, "run:start")
    await abegin_attempt(run.id, "write", 1, epoch=1)
    driver.open(run.id, "write", 1, 1)
    return run


class Polled:
    """A page that asks: what it holds, and its text."""

    def __init__(self, run: Run, person: Person) -> None:
        self.run = run
        self.client = ApiClient(person.bearer)
        self.after = 0
        self.held = (0, 0, 0)
        self.text = ""
        self.resets = 0

    async def ask(self) -> dict[str, Any]:
        query = f"after={self.after}&stream={'.'.join(map(str, self.held))}.write"
        answer = await self.client.get(f"/api/runs/{self.run.id}/events?{query}")
        body: dict[str, Any] = answer.json()
        assert answer.status_code == 200, body
        self.after += len(body["results"])
        for frame in body["frames"]:
            self._take(frame)
        return body

    def _take(self, frame: dict[str, Any]) -> None:
        if frame["type"] == "stream:reset":
            self.text = ""
            self.resets += 1
            return
        self.text += frame["data"]
        self.held = (frame["epoch"], frame["attempt"], frame["offset"] + 1)


async def test_each_answer_goes_on_where_the_page_is(run: Run, member: Person, driver: Frames) -> None:
    page = Polled(run, member)
    assert (await page.ask())["frames"] == []
    for word in ("one ", "two "):
        speak(driver, run.id, "write", 1, 1, word)
    await page.ask()
    assert (page.text, page.held, page.resets) == ("one two ", (1, 1, 2), 1)
    body = await page.ask()
    assert (body["frames"], body["more_frames"]) == ([], False)
    speak(driver, run.id, "write", 1, 1, "three")
    assert [frame["offset"] for frame in (await page.ask())["frames"]] == [2]
    assert (page.text, page.resets) == ("one two three", 1)


async def test_a_long_text_comes_in_answers_of_a_bounded_size(run: Run, member: Person, driver: Frames) -> None:
    words = [f"{number:04} " * 20 for number in range(4000)]
    for word in words:
        speak(driver, run.id, "write", 1, 1, word)
    page = Polled(run, member)
    answers = 1
    while (body := await page.ask())["more_frames"]:
        assert len(json.dumps(body["frames"])) < 2 * glance.MOST_BYTES
        answers += 1
    assert answers > 2
    assert page.text == "".join(words)
    assert page.resets == 1


async def test_another_attempt_begins_anew(run: Run, member: Person, driver: Frames) -> None:
    page = Polled(run, member)
    speak(driver, run.id, "write", 1, 1, "wrong")
    await page.ask()
    await Attempt.objects.filter(run=run, number=1).aupdate(outcome="failed")
    driver.close(run.id, "write", 1, 1)
    await abegin_attempt(run.id, "write", 2, epoch=1)
    driver.open(run.id, "write", 1, 2)
    speak(driver, run.id, "write", 1, 2, "right")
    await page.ask()
    assert (page.text, page.held, page.resets) == ("right", (1, 2, 1), 2)


async def test_a_text_whose_beginning_is_no_longer_held_says_so(run: Run, member: Person, driver: Frames) -> None:
    page = Polled(run, member)
    speak(driver, run.id, "write", 1, 1, "lost")
    held = driver._buffers.find(next(iter(driver._buffers.open_attempts(run.id))))
    assert held is not None
    held.drop_head()
    speak(driver, run.id, "write", 1, 1, "kept")
    frames = (await page.ask())["frames"]
    assert frames[0]["data"] == {"truncated": 1}
    assert page.text == "kept"


async def test_frames_wait_until_the_page_has_the_events_before_them(run: Run, member: Person, driver: Frames) -> None:
    speak(driver, run.id, "write", 1, 1, "text")
    client = ApiClient(member.bearer)
    first = (await client.get(f"/api/runs/{run.id}/events?limit=1&stream=0.0.0.write")).json()
    assert (first["frames"], first["next"] is None) == ([], False)
    await awrite(run.id, "run:cancel")
    ended = (await client.get(f"/api/runs/{run.id}/events?stream=0.0.0.write")).json()
    assert (ended["frames"], ended["results"][-1]["type"]) == ([], "run:cancel")


async def test_a_worker_that_is_gone_is_not_waited_for_long(
    run: Run, member: Person, driver: Frames, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(glance, "WAIT_SECONDS", 0.05)
    driver.drop_run(run.id)
    body = await Polled(run, member).ask()
    assert (body["frames"], body["more_frames"]) == ([], False)
    assert [event["type"] for event in body["results"]] == ["run:start", "step:start"]


async def test_what_streams_is_told_to_those_who_see_the_run(run: Run, member: Person, driver: Frames) -> None:
    speak(driver, run.id, "write", 1, 1, "secret")
    colleague = await amake_person("colleague", await Group.objects.aget(name="team"))
    stranger = await amake_person("stranger", await Group.objects.acreate(name="others"))
    address = f"/api/runs/{run.id}/events?stream=0.0.0.write"
    answers = {
        "anonymous": await AsyncClient().get(address),
        "stranger": await ApiClient(stranger.bearer).get(address),
        "colleague": await ApiClient(colleague.bearer).get(address),
        "session": await member.client().get(address),
    }
    statuses = {name: answer.status_code for name, answer in answers.items()}
    assert statuses == {"anonymous": 401, "stranger": 404, "colleague": 200, "session": 200}
    assert [b"secret" in answer.content for answer in answers.values()] == [False, False, True, True]


@pytest.mark.parametrize("value", ["", "write", "1.1.write", "1.x.0.write", "1.1.-1.write", "1.1.0.", "1.1.0.a%00b"])
async def test_a_place_that_cannot_be_read_is_refused(run: Run, member: Person, value: str) -> None:
    answer = await ApiClient(member.bearer).get(f"/api/runs/{run.id}/events?stream={value}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid_stream")


async def test_more_places_than_one_answer_holds_are_refused(run: Run, member: Person) -> None:
    query = "&".join(f"stream=0.0.0.step-{number}" for number in range(glance.MOST_STREAMS + 1))
    answer = await ApiClient(member.bearer).get(f"/api/runs/{run.id}/events?{query}")
    assert (answer.status_code, answer.json()["error"]["details"]) == (400, {"field": "stream"})


async def test_names_with_dots_are_whole(run: Run, member: Person, driver: Frames) -> None:
    await abegin_attempt(run.id, "a.b.c", 1, epoch=1)
    driver.open(run.id, "a.b.c", 1, 1)
    speak(driver, run.id, "a.b.c", 1, 1, "dotted")
    body = (await ApiClient(member.bearer).get(f"/api/runs/{run.id}/events?stream=0.0.0.a.b.c")).json()
    assert [frame["step"] for frame in body["frames"]] == ["a.b.c", "a.b.c"]


async def test_the_log_is_read_from_where_the_page_is(run: Run, member: Person, driver: Frames) -> None:
    """However long it is."""
    await awrite(run.id, *["log:write"] * 2_000)
    speak(driver, run.id, "write", 1, 1, "text")
    page = Polled(run, member)
    page.after = 2_000
    body = await page.ask()
    assert [event["sequence"] for event in body["results"]] == [2_001, 2_002]
    assert page.text == "text"
