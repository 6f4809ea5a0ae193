"""What streams in a run now, for a client that asks again and again because every live line is blocked to it.

Each answer goes on where the client is and is bounded: what does not fit is there for the next question.
"""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from typing import Self
from uuid import UUID, uuid4

from runs.events.bus import Message
from runs.events.types import RunEvent
from runs.live.errors import MAX_SEQUENCE, InvalidStream
from runs.live.reads import Head, fetch_open_attempts
from runs.live.streams import Streams
from runs.live.watcher import Watcher, get_watcher

MOST_STREAMS = 20
MOST_BYTES = 256 * 1024
WAIT_SECONDS = 1.0
"""How long a worker may take to answer: one that is gone says nothing."""


@dataclass(frozen=True, slots=True)
class Held:
    """What a client has of a step: the frames of this attempt below `offset`."""

    step: str
    epoch: int
    attempt: int
    offset: int

    @classmethod
    def parse(cls, texts: list[str]) -> list[Self]:
        """Of `<epoch>.<attempt>.<offset>.<step>`, one for each step. Raises InvalidStream."""
        for text in texts[MOST_STREAMS:]:
            raise InvalidStream(text, MOST_STREAMS)
        return [cls._parse(text) for text in texts]

    @classmethod
    def _parse(cls, text: str) -> Self:
        *numbers, step = text.split(".", 3)
        if len(numbers) != 3 or not step or "\0" in step or not all(map(_is_number, numbers)):
            raise InvalidStream(text, MOST_STREAMS)
        epoch, attempt, offset = map(int, numbers)
        return cls(step, epoch, attempt, offset)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 19 and int(text) <= MAX_SEQUENCE


@dataclass(frozen=True, slots=True)
class Glance:
    """Frames as a follower passes them on, resets included, and whether there are more than fit."""

    frames: list[RunEvent]
    more: bool


async def glance(run_id: UUID, head: Head, held: list[Held]) -> Glance:
    """What the open attempts of these steps have said beyond what the client holds."""
    watcher = get_watcher()
    found = await watcher.read(fetch_open_attempts, run_id, [one.step for one in held])
    wanted = {step: (epoch, attempt) for step, epoch, attempt in found if epoch >= head.epoch}
    if not wanted:
        return Glance([], more=False)
    asked = _Asked(watcher, run_id, head.epoch, wanted, {one.step: one for one in held})
    try:
        return await asked.answer()
    finally:
        await watcher.leave(run_id, asked)


class _Asked:
    """One question for each attempt, and what came in answer."""

    def __init__(
        self, watcher: Watcher, run_id: UUID, epoch: int, wanted: dict[str, tuple[int, int]], held: dict[str, Held]
    ) -> None:
        self._watcher = watcher
        self._run_id = run_id
        self._name = uuid4().hex
        self._wanted = wanted
        self._offsets = {step: _offset(held[step], key) for step, key in wanted.items()}
        self._streams = Streams(run_id)
        self._streams.epoch = epoch
        for step, key in wanted.items():
            self._streams.hold(step, *key, self._offsets[step])
        self._open = set(wanted)
        self._frames: list[RunEvent] = []
        self._size = 0
        self._more = False
        self._answered = asyncio.Event()

    async def answer(self) -> Glance:
        await self._watcher.hear(self._run_id, self)
        most = MOST_BYTES // len(self._wanted)
        for step, (epoch, attempt) in self._wanted.items():
            asked = {"step": step, "epoch": epoch, "attempt": attempt, "offset": self._offsets[step], "most": most}
            await self._watcher.request({"to": self._name, "run": str(self._run_id)} | asked)
        with suppress(TimeoutError):
            async with asyncio.timeout(WAIT_SECONDS):
                await self._answered.wait()
        return Glance(self._frames, self._more and bool(self._frames))

    def see_head(self, head: Head | None) -> None:
        """The client asks for recorded events itself."""

    def see_last(self, last_sequence: int) -> None:
        """As `see_head`."""

    def see_frames(self, message: Message, weight: int) -> None:
        if message.get("to") != self._name:
            return
        # A worker of an older version knows no bound.
        if self._size < MOST_BYTES:
            self._frames += self._streams.accept(message)
            self._more = self._more or bool(message.get("more"))
        else:
            self._more = True
        self._size += weight
        if message.get("complete"):
            self._open.discard(str(message["step"]))
        if not self._open:
            self._answered.set()

    def wake(self) -> None:
        """It is woken by the last answer alone."""


def _offset(held: Held, key: tuple[int, int]) -> int:
    return held.offset if (held.epoch, held.attempt) == key else 0
