"""The frames of streaming attempts, held in bounded memory for followers that join late."""

import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from uuid import UUID

from runs import clock
from runs.conf import get_settings

KEEP_SECONDS = 10.0
"""How long the frames of an ended attempt are kept for late requests."""


class Key(NamedTuple):
    """Names an attempt."""

    run: UUID
    step: str
    epoch: int
    attempt: int


class Frame(NamedTuple):
    """One emit. `size` in bytes; `at` is RFC 3339."""

    offset: int
    data: Any
    size: int
    at: str

    def as_message(self) -> dict[str, Any]:
        return {"offset": self.offset, "data": self.data, "at": self.at}


@dataclass(eq=False, slots=True)
class Attempt:
    """The newest frames of one attempt, its head cut off when it grows too large."""

    key: Key
    frames: deque[Frame] = field(default_factory=deque)
    size: int = 0
    count: int = 0
    sent: int = 0  # every frame below this offset was sent, or emitted when nobody watched
    closed_at: float | None = None

    def append(self, data: Any, size: int, at: str) -> None:
        self.frames.append(Frame(self.count, data, size, at))
        self.count += 1
        self.size += size

    def drop_head(self) -> int:
        """Forget the oldest frame; returns its size."""
        frame = self.frames.popleft()
        self.size -= frame.size
        return frame.size

    @property
    def first(self) -> int:
        """Offset of the oldest frame held; the next one's if none is."""
        return self.frames[0].offset if self.frames else self.count

    def since(self, offset: int) -> list[Frame]:
        skipped = max(offset - self.first, 0)
        return [frame for index, frame in enumerate(self.frames) if index >= skipped]


class Buffers:
    """All attempts of this process. Every method may be called from any thread and never waits for I/O."""

    def __init__(self) -> None:
        settings = get_settings()
        self._per_attempt = settings.attempt_buffer_bytes
        self._in_all = settings.process_buffer_bytes
        self._lock = threading.Lock()
        self._attempts: dict[Key, Attempt] = {}  # in the order in which they were opened
        self._size = 0

    def open(self, key: Key) -> None:
        with self._lock:
            self._forget_old()
            self._discard(key)
            self._attempts[key] = Attempt(key)

    def append(self, key: Key, data: Any, size: int) -> bool:
        """False for an attempt that was never opened or was dropped: its run left this process."""
        at = clock.now().isoformat().replace("+00:00", "Z")
        with self._lock:
            attempt = self._attempts.get(key)
            if attempt is None:
                return False
            attempt.append(data, size, at)
            self._size += size
            while attempt.size > self._per_attempt and len(attempt.frames) > 1:
                self._size -= attempt.drop_head()
            self._shrink()
            return True

    def count(self, key: Key) -> int:
        with self._lock:
            attempt = self._attempts.get(key)
            return attempt.count if attempt else 0

    def close(self, key: Key) -> None:
        with self._lock:
            if key in self._attempts:
                self._attempts[key].closed_at = clock.monotonic()
            self._forget_old()

    def drop_run(self, run: UUID) -> None:
        with self._lock:
            for key in [key for key in self._attempts if key.run == run]:
                self._discard(key)

    def keys_of(self, run: UUID) -> list[Key]:
        with self._lock:
            return [key for key in self._attempts if key.run == run]

    def unsent(self, key: Key, most: int) -> list[Frame]:
        """The next frames that were not sent, `most` bytes or one frame; they count as sent from now on."""
        with self._lock:
            attempt = self._attempts.get(key)
            if attempt is None:
                return []
            frames = list(_within(attempt.since(attempt.sent), most))
            attempt.sent = frames[-1].offset + 1 if frames else attempt.count
            return frames

    def skip(self, key: Key) -> None:
        """Nobody watches: what was emitted so far is sent only on request."""
        with self._lock:
            if key in self._attempts:
                self._attempts[key].sent = self._attempts[key].count

    def held(self, key: Key, offset: int) -> tuple[list[Frame], int | None] | None:
        """(frames from `offset` on, first offset held if it is later than asked); None for an unknown attempt."""
        with self._lock:
            attempt = self._attempts.get(key)
            if attempt is None:
                return None
            return attempt.since(offset), attempt.first if attempt.first > offset else None

    def open_attempts(self, run: UUID) -> list[Key]:
        with self._lock:
            return [key for key, attempt in self._attempts.items() if key.run == run and attempt.closed_at is None]

    def _shrink(self) -> None:
        """Under the process's limit again: ended and older attempts lose their frames first."""
        if self._size <= self._in_all:
            return
        for attempt in sorted(self._attempts.values(), key=lambda attempt: attempt.closed_at is None):
            while attempt.frames and self._size > self._in_all:
                self._size -= attempt.drop_head()

    def _forget_old(self) -> None:
        old = clock.monotonic() - KEEP_SECONDS
        for key, attempt in list(self._attempts.items()):
            if attempt.closed_at is not None and attempt.closed_at < old:
                self._discard(key)

    def _discard(self, key: Key) -> None:
        attempt = self._attempts.pop(key, None)
        if attempt is not None:
            self._size -= attempt.size


def _within(frames: list[Frame], most: int) -> Iterator[Frame]:
    """Leading frames of `most` bytes together, at least one."""
    size = 0
    for frame in frames:
        size += frame.size
        if size > most and frame is not frames[0]:
            return
        yield frame


def in_parts(frames: list[Frame], most: int) -> Iterator[list[Frame]]:
    """The same frames in lists of `most` bytes each; one empty list for none."""
    rest = frames
    while True:
        part = list(_within(rest, most))
        yield part
        rest = rest[len(part) :]
        if not rest:
            return
