"""The frames of streaming attempts, held in bounded memory for followers that join late."""

import json
import threading
from collections import deque
from collections.abc import Iterator
from typing import NamedTuple
from uuid import UUID

from runs import clock
from runs.conf import get_settings

KEEP_SECONDS = 10.0
"""How long the frames of an ended attempt are kept for late requests."""
_STAMP_SECONDS = 0.001
_ENVELOPE_BYTES = 200
"""What stands round a frame's data where it is shown, roughly."""


class Key(NamedTuple):
    """Names an attempt."""

    run: UUID
    step: str
    epoch: int
    attempt: int


def label(key: Key) -> str:
    """The members of a message that say whose frames it holds."""
    step = json.dumps(key.step)
    return f'"kind":"frames","run":"{key.run}","step":{step},"epoch":{key.epoch},"attempt":{key.attempt}'


class Frame(NamedTuple):
    """One emit: `data` is JSON, `at` RFC 3339."""

    offset: int
    data: bytes
    at: str

    @property
    def size(self) -> int:
        return len(self.data)


class Attempt:
    """The newest frames of one attempt, its head cut off when it grows too large. Used under its buffers' lock."""

    __slots__ = ("ats", "closed", "count", "datas", "gone", "key", "label", "run", "sent", "size")

    def __init__(self, key: Key) -> None:
        self.key = key
        self.run = str(key.run)
        self.label = label(key)
        # Two queues of what the frames hold: a tuple for each frame would weigh as much as the text in it.
        self.datas: deque[bytes] = deque()
        self.ats: deque[str] = deque()
        self.size = 0
        self.count = 0
        self.sent = 0  # every frame below this offset was sent, or emitted when nobody watched
        self.closed = False
        self.gone = False

    def drop_head(self) -> int:
        """Forget the oldest frame; returns its size."""
        self.ats.popleft()
        size = len(self.datas.popleft())
        self.size -= size
        return size

    @property
    def first(self) -> int:
        """Offset of the oldest frame held; the next one's if none is."""
        return self.count - len(self.datas)

    def since(self, offset: int) -> list[Frame]:
        """Frames from `offset` on, counted from the end, where readers are: a queue is slow to walk from its head."""
        count, datas, ats = self.count, self.datas, self.ats
        return [Frame(at, datas[at - count], ats[at - count]) for at in range(max(offset, self.first), count)]


class Buffers:
    """All attempts of this process. Every method may be called from any thread and never waits for I/O."""

    def __init__(self) -> None:
        settings = get_settings()
        self._per_attempt = settings.attempt_buffer_bytes
        self._in_all = settings.process_buffer_bytes
        self._lock = threading.Lock()
        self._attempts: dict[Key, Attempt] = {}  # in the order in which they were opened
        self._of_run: dict[UUID, list[Attempt]] = {}
        self._closed: deque[tuple[float, Attempt]] = deque()
        self._size = 0
        self._stamped_at = 0.0
        self._stamp = ""

    def open(self, key: Key) -> None:
        with self._lock:
            self._forget_old()
            self._discard(key)
            attempt = self._attempts[key] = Attempt(key)
            self._of_run.setdefault(key.run, []).append(attempt)

    def find(self, key: Key) -> Attempt | None:
        with self._lock:
            return self._attempts.get(key)

    def append(self, attempt: Attempt, data: bytes) -> bool:
        """False for an attempt that was dropped: its run left this process."""
        with self._lock:
            if attempt.gone:
                return False
            attempt.datas.append(data)
            attempt.ats.append(self._now())
            attempt.count += 1
            attempt.size += len(data)
            self._size += len(data)
            while attempt.size > self._per_attempt and len(attempt.datas) > 1:
                self._size -= attempt.drop_head()
            if self._size > self._in_all:
                self._shrink()
            return True

    def count(self, key: Key) -> int:
        with self._lock:
            attempt = self._attempts.get(key)
            return attempt.count if attempt else 0

    def close(self, key: Key) -> None:
        with self._lock:
            attempt = self._attempts.get(key)
            if attempt is not None and not attempt.closed:
                attempt.closed = True
                self._closed.append((clock.monotonic(), attempt))
            self._forget_old()

    def drop_run(self, run: UUID) -> None:
        with self._lock:
            for attempt in list(self._of_run.get(run, ())):
                self._discard(attempt.key)

    def unsent(self, attempt: Attempt) -> list[Frame]:
        """The frames that were not sent; they count as sent from now on."""
        with self._lock:
            frames = attempt.since(attempt.sent)
            attempt.sent = attempt.count
            return frames

    def skip(self, attempt: Attempt) -> None:
        """Nobody watches: what was emitted so far is sent only on request."""
        with self._lock:
            attempt.sent = attempt.count

    def held(self, key: Key, offset: int) -> tuple[list[Frame], int | None] | None:
        """(frames from `offset` on, first offset held if it is later than asked); None for an unknown attempt."""
        with self._lock:
            attempt = self._attempts.get(key)
            if attempt is None:
                return None
            return attempt.since(offset), attempt.first if attempt.first > offset else None

    def open_attempts(self, run: UUID) -> list[Key]:
        with self._lock:
            return [attempt.key for attempt in self._of_run.get(run, ()) if not attempt.closed]

    def _now(self) -> str:
        """RFC 3339, made anew at most every millisecond: writing it costs as much as all the rest of a frame."""
        now = clock.monotonic()
        if now - self._stamped_at > _STAMP_SECONDS:
            self._stamped_at = now
            self._stamp = clock.now().isoformat().replace("+00:00", "Z")
        return self._stamp

    def _shrink(self) -> None:
        """Under the process's limit again: ended and older attempts lose their frames first."""
        for attempt in sorted(self._attempts.values(), key=lambda attempt: not attempt.closed):
            while attempt.datas and self._size > self._in_all:
                self._size -= attempt.drop_head()

    def _forget_old(self) -> None:
        old = clock.monotonic() - KEEP_SECONDS
        while self._closed and self._closed[0][0] < old:
            attempt = self._closed.popleft()[1]
            if not attempt.gone:
                self._discard(attempt.key)

    def _discard(self, key: Key) -> None:
        attempt = self._attempts.pop(key, None)
        if attempt is None:
            return
        attempt.gone = True
        self._size -= attempt.size
        attempt.datas.clear()
        attempt.ats.clear()
        others = self._of_run[key.run]
        others.remove(attempt)
        if not others:
            del self._of_run[key.run]


def leading(frames: list[Frame], most: int) -> list[Frame]:
    """As many as take `most` bytes in the envelopes that a reader is shown, at least one."""
    return list(_within(frames, most, _ENVELOPE_BYTES))


def _within(frames: list[Frame], most: int, beside: int = 0) -> Iterator[Frame]:
    """Leading frames of `most` bytes together, at least one; `beside` each are counted too."""
    size = 0
    for frame in frames:
        size += frame.size + beside
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
