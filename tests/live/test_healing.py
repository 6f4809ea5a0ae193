"""What a follower does about messages that never came, or came from a worker that lost the run."""

from types import TracebackType
from typing import Any, Self
from uuid import uuid4

import pytest

from runs import clock
from runs.live import asking, watcher
from runs.live.bus import LayerBus
from runs.live.streams import Streams
from runs.worker.frames import Frames
from tests.live.conftest import Reader, speak, until_watched
from tests.live.logs import abegin_attempt, amake_run, awrite

pytestmark = pytest.mark.django_db(transaction=True)


class ForgetfulBus(LayerBus):
    """The first frames of a stream that come by are lost, whoever they were for."""

    _lost = 0

    async def publish_text(self, topic: str, text: str) -> None:
        if '"kind":"frames"' in text and ForgetfulBus._lost == 0:
            ForgetfulBus._lost += 1
        else:
            await super().publish_text(topic, text)


class DeafDoorbell:
    """Nothing in the database makes it ring."""

    def __init__(self, handler: Any) -> None:
        pass

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        pass


@pytest.mark.parametrize("bus", ["tests.live.test_healing.ForgetfulBus"], indirect=True)
async def test_a_frame_that_was_lost_is_asked_for(bus: str, driver: Frames, monkeypatch: pytest.MonkeyPatch) -> None:
    # what a new follower asks for anyway would hide the loss
    monkeypatch.setattr(asking, "_FIRST_ASKS", ())
    run = await amake_run()
    await abegin_attempt(run.id, "write", 1, epoch=1)
    reader = Reader(run.id)
    await reader.until(lambda _: "step:start" in reader.types)
    await until_watched(driver, run.id)
    ForgetfulBus._lost = 0
    driver.open(run.id, "write", 1, 1)
    for letter in "abcd":
        speak(driver, run.id, "write", 1, 1, letter)
        await driver.flush(run.id)
    await reader.until(lambda _: reader.text("write") == "abcd")
    assert ForgetfulBus._lost == 1
    await awrite(run.id, "step:complete", "run:complete", step="write", attempt=1, frames=4)
    await reader.end()


@pytest.mark.parametrize("bus", ["tests.live.buses.DroppingBus"], indirect=True)
async def test_a_last_event_that_nobody_announces_is_found(bus: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watcher, "Doorbell", DeafDoorbell)
    run = await amake_run()
    await awrite(run.id, "run:queued", "run:start")
    reader = Reader(run.id)
    await reader.until(lambda events: len(events) == 2)
    await awrite(run.id, "log:write", message="the last but one")
    await awrite(run.id, "run:complete")
    await reader.end()
    assert reader.sequences == [1, 2, 3, 4]


def test_frames_of_a_lost_epoch_are_dropped_before_the_next_one_speaks() -> None:
    def message(epoch: int, offset: int) -> dict[str, object]:
        frame = {"offset": offset, "data": f"{epoch}.{offset}", "at": clock.now().isoformat()}
        return {"step": "s", "epoch": epoch, "attempt": 1, "frames": [frame], "truncated": None}

    streams = Streams(uuid4())
    assert [event.data for event in streams.accept(message(1, 0))] == [{}, "1.0"]
    streams.epoch = 2  # the run's row says that another worker drives it
    assert streams.accept(message(1, 1)) == []
    assert [event.type for event in streams.accept(message(2, 0))] == ["stream:reset", "stream"]
    assert streams.accept(message(1, 1)) == []
