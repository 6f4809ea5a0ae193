"""Followers receive every event once and in order, whatever the bus does."""

import asyncio
import random
from uuid import uuid4

import pytest

from runs import clock
from runs.errors import RunNotFound
from runs.live import follower
from runs.live.follow import follow, subscribe
from runs.live.streams import Streams
from runs.models import Run
from runs.worker.frames import Frames
from tests.live.conftest import BUSES, SECONDS_AT_MOST, Reader, speak, until, until_watched
from tests.live.logs import abegin_attempt, amake_run, aprune, awrite

pytestmark = pytest.mark.django_db(transaction=True)
every_bus = pytest.mark.parametrize("bus", BUSES, indirect=True)


@every_bus
async def test_events_arrive_once_and_in_order_and_the_last_one_ends_the_stream(bus: str) -> None:
    run = await amake_run()
    await awrite(run.id, "run:queued", "run:start")
    readers = [Reader(run.id), Reader(run.id, after=1)]
    await readers[0].until(lambda events: len(events) == 2)
    for number in range(20):
        await awrite(run.id, "log:write", message=str(number))
    late = Reader(run.id, after=10)
    await awrite(run.id, "run:complete")
    for reader in (*readers, late):
        await reader.end()
    assert readers[0].sequences == list(range(1, 24))
    assert readers[1].sequences == list(range(2, 24))
    assert late.sequences == list(range(11, 24))
    assert late.types[-1] == "run:complete"


@every_bus
async def test_stream_frames_are_contiguous_and_come_before_the_end_of_their_step(bus: str, driver: Frames) -> None:
    run = await amake_run()
    await awrite(run.id, "run:queued", "run:start")
    early = Reader(run.id)
    await early.until(lambda events: len(events) == 2)
    await abegin_attempt(run.id, "write", 1, epoch=1)
    driver.open(run.id, "write", 1, 1)
    late = None
    for number in range(100):
        speak(driver, run.id, "write", 1, 1, f"{number} ")
        await asyncio.sleep(0.002)  # as a model speaks
        if number == 50:
            late = Reader(run.id)
    assert late is not None
    await driver.flush(run.id)
    await awrite(run.id, "step:complete", step="write", attempt=1, frames=100)
    driver.close(run.id, "write", 1, 1)
    await awrite(run.id, "run:complete")
    text = "".join(f"{number} " for number in range(100))
    for reader in (early, late):
        await reader.end()
        assert reader.sequences == [1, 2, 3, 4, 5]
        assert text.startswith(reader.text("write"))
        offsets = [event.offset for event in reader.events if event.type == "stream"]
        assert offsets == list(range(len(offsets)))
        assert reader.types.index("step:complete") > max(
            [place for place, kind in enumerate(reader.types) if kind == "stream"], default=0
        )
        if "Dropping" not in bus and "Leaky" not in bus:
            assert reader.types.count("stream:reset") == 1
            assert reader.text("write") == text


async def test_a_late_joiner_gets_the_whole_partial_stream_and_goes_on(driver: Frames) -> None:
    run = await amake_run()
    await awrite(run.id, "run:queued", "run:start")
    await abegin_attempt(run.id, "write", 1, epoch=1)
    driver.open(run.id, "write", 1, 1)
    for letter in "abc":
        speak(driver, run.id, "write", 1, 1, letter)
    reader = Reader(run.id)
    await reader.until(lambda _: reader.text("write") == "abc")
    speak(driver, run.id, "write", 1, 1, "d")
    await reader.until(lambda _: reader.text("write") == "abcd")
    assert reader.types == ["run:queued", "run:start", "step:start", "stream:reset", *["stream"] * 4]


async def test_a_retried_streaming_step_is_reset_and_then_shows_only_its_second_attempt(driver: Frames) -> None:
    run = await amake_run()
    reader = Reader(run.id)
    for attempt, text in ((1, "wrong"), (2, "right")):
        await abegin_attempt(run.id, "write", attempt, epoch=1)
        driver.open(run.id, "write", 1, attempt)
        for letter in text:
            speak(driver, run.id, "write", 1, attempt, letter)
        await reader.until(lambda _, text=text: reader.text("write") == text)  # type: ignore[misc]
        end = "step:retry" if attempt == 1 else "step:complete"
        await awrite(run.id, end, step="write", attempt=attempt, frames=5)
    await awrite(run.id, "run:complete")
    await reader.end()
    frames = ["stream:reset", *["stream"] * 5]
    assert reader.types == ["step:start", *frames, "step:retry", "step:start", *frames, "step:complete", "run:complete"]


async def test_frames_of_a_worker_that_lost_the_run_reach_nobody(driver: Frames) -> None:
    run = await amake_run()
    await abegin_attempt(run.id, "write", 1, epoch=1)
    driver.open(run.id, "write", 1, 1)
    speak(driver, run.id, "write", 1, 1, "old")
    reader = Reader(run.id)
    await reader.until(lambda _: reader.text("write") == "old")
    await awrite(run.id, "run:recover")
    await abegin_attempt(run.id, "write", 2, epoch=2)
    await reader.until(lambda _: "run:recover" in reader.types)
    driver.open(run.id, "write", 2, 2)
    speak(driver, run.id, "write", 2, 2, "new")
    await reader.until(lambda _: reader.text("write") == "new")
    speak(driver, run.id, "write", 1, 1, "zombie")
    await driver.flush(run.id)
    await awrite(run.id, "step:complete", step="write", attempt=2, frames=1)
    await awrite(run.id, "run:complete")
    await reader.end()
    assert reader.text("write") == "new"


async def test_a_stream_whose_head_was_cut_off_says_where_it_begins(driver: Frames) -> None:
    run = await amake_run()
    await abegin_attempt(run.id, "write", 1, epoch=1)
    driver.open(run.id, "write", 1, 1)
    for _ in range(20):
        speak(driver, run.id, "write", 1, 1, "x" * 100_000)
    reader = Reader(run.id)
    await reader.until(lambda events: any(event.offset == 19 for event in events))
    reset = next(event for event in reader.events if event.type == "stream:reset")
    first = next(event for event in reader.events if event.type == "stream")
    assert reset.data == {"truncated": first.offset}
    assert first.offset is not None
    assert first.offset > 0


async def test_a_cursor_before_the_retained_window_gets_a_gap_and_goes_on() -> None:
    run = await amake_run()
    await awrite(run.id, *["log:write"] * 9, "run:complete")
    await aprune(run.id, first=6)
    events = [event async for event in follow(run.id, after=2)]
    assert [event.type for event in events[:2]] == ["gap", "log:write"]
    assert events[0].data == {"after": 2, "first_sequence": 6}
    assert [event.sequence for event in events] == [None, 6, 7, 8, 9, 10]


async def test_events_pruned_under_a_slow_reader_become_a_gap() -> None:
    run = await amake_run()
    await awrite(run.id, *["log:write"] * 300)
    events = follow(run.id)
    assert (await anext(events)).sequence == 1
    await aprune(run.id, first=251)
    await awrite(run.id, "run:complete")
    rest = [event async for event in events]
    assert [event.sequence for event in rest] == [*range(2, 201), None, *range(251, 302)]


async def test_a_run_that_does_not_exist_is_an_error() -> None:
    with pytest.raises(RunNotFound):
        await anext(follow(uuid4()))


async def test_a_deleted_run_ends_the_stream() -> None:
    run = await amake_run()
    await awrite(run.id, "run:queued")
    reader = Reader(run.id)
    await reader.until(lambda events: len(events) == 1)
    await Run.objects.filter(pk=run.id).adelete()
    assert len(await reader.end()) == 1


async def test_an_ended_run_that_was_read_to_its_end_ends_at_once() -> None:
    run = await amake_run()
    await awrite(run.id, "run:queued", "run:cancel")
    assert [event async for event in subscribe(run.id, after=2)] == []


async def test_a_run_that_another_attempt_of_the_operator_continued_is_followed_on() -> None:
    run = await amake_run()
    await awrite(run.id, "run:start", "run:fail", "run:retry", "run:start")
    reader = Reader(run.id)
    await awrite(run.id, "run:complete")
    await reader.end()
    assert reader.sequences == [1, 2, 3, 4, 5]


async def test_a_finished_streaming_step_is_replayed_without_waiting_for_its_frames() -> None:
    run = await amake_run()
    for number in range(20):
        await abegin_attempt(run.id, f"step-{number}", 1, epoch=1)
        await awrite(run.id, "step:complete", step=f"step-{number}", attempt=1, frames=7)
    await awrite(run.id, "run:complete")
    before = clock.monotonic()
    assert len([event async for event in follow(run.id)]) == 41
    assert clock.monotonic() - before < 20 * follower.FRAMES_WAIT_SECONDS / 2


async def test_a_reader_that_does_not_read_holds_bounded_memory_and_still_gets_the_whole_stream(driver: Frames) -> None:
    run = await amake_run()
    await awrite(run.id, "run:queued")
    slow = follow(run.id)
    await anext(slow)
    await until_watched(driver, run.id)
    await abegin_attempt(run.id, "write", 1, epoch=1)
    driver.open(run.id, "write", 1, 1)
    for _ in range(40):
        for _ in range(20):
            speak(driver, run.id, "write", 1, 1, "x" * 1000)
        await driver.flush(run.id)
    inbox = slow.ag_frame.f_locals["follower"]._inbox_bytes  # type: ignore[attr-defined]
    assert inbox <= 2 * 1024 * 1024
    offsets = [event.offset async for event in _take(slow, 802) if event.type == "stream"]
    assert offsets == list(range(800))


async def test_frames_that_are_there_reach_a_client_however_slowly_it_takes_them(
    driver: Frames, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follower, "FRAMES_WAIT_SECONDS", 0)
    run = await amake_run()
    await awrite(run.id, "run:queued")
    slow = follow(run.id)
    await anext(slow)
    inbox = slow.ag_frame.f_locals["follower"]._inbox  # type: ignore[attr-defined]
    await until_watched(driver, run.id)
    await abegin_attempt(run.id, "write", 1, epoch=1)
    driver.open(run.id, "write", 1, 1)
    for letter in "abcd":
        speak(driver, run.id, "write", 1, 1, letter)
        await driver.flush(run.id)
        if letter == "a":
            await until(lambda: inbox)
            await awrite(run.id, "step:complete", "run:complete", step="write", attempt=1, frames=4)
            seen = [event async for event in _take(slow, 3)]  # it has the step's start and the first frame, and dawdles
    # at least: the answer to what a new follower asks may bring the first one again
    await until(lambda: {1, 2, 3} <= {frame["offset"] for arrival in inbox for frame in arrival.message["frames"]})
    seen += [event async for event in slow]
    assert [event.data for event in seen if event.type == "stream"] == list("abcd")


async def _take(events, count):  # type: ignore[no-untyped-def]
    async with asyncio.timeout(SECONDS_AT_MOST):
        for _ in range(count):
            yield await anext(events)


async def test_a_hundred_followers_of_one_run_all_get_its_events() -> None:
    run = await amake_run()
    await awrite(run.id, "run:queued")
    readers = [Reader(run.id) for _ in range(100)]
    for reader in readers:
        await reader.until(lambda events: len(events) == 1)
    await awrite(run.id, "run:start", "run:complete")
    for reader in readers:
        await reader.end()
    assert all(reader.sequences == [1, 2, 3] for reader in readers)


def test_streams_pass_on_the_same_frames_in_any_order_of_messages() -> None:
    def message(offset: int, attempt: int = 1) -> dict[str, object]:
        frame = {"offset": offset, "data": offset, "at": clock.now().isoformat()}
        return {"step": "s", "epoch": 1, "attempt": attempt, "frames": [frame], "truncated": None}

    for seed in range(200):
        chance = random.Random(seed)
        messages = [message(offset) for offset in range(10)] * 2
        chance.shuffle(messages)
        streams = Streams(uuid4())
        passed = [event for each in messages for event in streams.accept(each)]
        while behind := streams.behind():
            passed += [event for missing in behind for event in streams.accept(message(missing.offset))]
        assert [event.data for event in passed if event.type == "stream"] == list(range(10))
        assert [event.type for event in passed].count("stream:reset") == 1
        assert streams.accept(message(0, attempt=0)) == []
        streams.end("s", 1)
        assert streams.accept(message(10)) == []
