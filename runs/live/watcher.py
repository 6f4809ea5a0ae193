"""One per process and event loop: knows where all followed runs stand, and is the followers' ear on bus and doorbell.

The query every second is the promise; bus and doorbell only make it faster. So a lost last event is found too.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar
from uuid import UUID, uuid4
from weakref import WeakKeyDictionary

from runs.events.bus import DRIVERS, READERS, Message, make_bus, reader_topic
from runs.events.doorbell import Doorbell
from runs.events.log import read_events
from runs.events.types import RunEvent
from runs.live.pace import Pace
from runs.live.reads import Head, ReadThreads, fetch_heads

logger = logging.getLogger(__name__)
T = TypeVar("T")

QUERY_SECONDS = 1.0
INTEREST_SECONDS = 5.0
LINGER_SECONDS = 2.0
GATHER_SECONDS = 0.02
READ_LIMIT = 200


class Listener(Protocol):
    """A follower, as the watcher sees it. All calls come in its loop and must not block."""

    def see_head(self, head: Head | None) -> None:
        """The run stands here; None: it was deleted."""

    def see_last(self, last_sequence: int) -> None:
        """Somebody says that the log goes up to here."""

    def see_frames(self, message: Message, weight: int) -> None:
        """Stream frames of the run; `weight` is their size in bytes, roughly."""

    def wake(self) -> None:
        """Something was seen."""


@dataclass(eq=False, slots=True)
class _Followed:
    """One run that is followed in this process."""

    listeners: list[Listener] = field(default_factory=list)
    head: Head | None = None


class Watcher:
    def __init__(self) -> None:
        self.reader_id = uuid4().hex
        self.closed = False
        self._bus = make_bus()
        self._threads = ReadThreads()
        self._runs: dict[str, _Followed] = {}
        self._reads = 0
        self._pace = Pace()
        self._ears: dict[Callable[[], None], bool] = {}
        self._changed = asyncio.Event()
        self._ready = asyncio.Event()
        self._interest_due = asyncio.Event()
        self._announcing = asyncio.Lock()
        self._announced: frozenset[str] = frozenset()
        self._reading: dict[tuple[UUID, int], asyncio.Task[list[RunEvent]]] = {}
        self._task = asyncio.create_task(self._watch(), name="live-watcher")

    async def join(self, run_id: UUID, listener: Listener) -> Head | None:
        """Listen first, then look where the run stands: nothing can fall between the two."""
        await self.hear(run_id, listener)
        await self._announce_change()
        return await self.look(run_id)

    async def hear(self, run_id: UUID, listener: Listener) -> None:
        """For who asks once: drivers are told of no new reader, so what was not asked for may not come."""
        self._runs.setdefault(str(run_id), _Followed()).listeners.append(listener)
        await self._ready.wait()

    async def leave(self, run_id: UUID, listener: Listener) -> None:
        followed = self._runs.get(str(run_id))
        if followed is None or listener not in followed.listeners:
            return
        followed.listeners.remove(listener)
        if not followed.listeners:
            del self._runs[str(run_id)]

    def add_ear(self, ear: Callable[[], None], *, every_second: bool = True) -> None:
        """Call `ear()` whenever any run may have changed, and every second if that is wanted."""
        self._ears[ear] = every_second

    def remove_ear(self, ear: Callable[[], None]) -> None:
        del self._ears[ear]

    async def look(self, run_id: UUID) -> Head | None:
        """Where the run stands now, read from the database; None when there is none."""
        return (await self.read(fetch_heads, [run_id])).get(run_id)

    async def read(self, function: Callable[..., T], *args: object) -> T:
        """Call a sync reading function in a thread with a database connection."""
        self._reads += 1
        try:
            return await self._threads.run(function, *args)
        finally:
            self._reads -= 1

    async def read_log(self, run_id: UUID, after: int) -> list[RunEvent]:
        """Up to READ_LIMIT events. Followers at the same place of the same run share one query."""
        key = (run_id, after)
        if key not in self._reading:
            self._reading[key] = asyncio.ensure_future(self.read(read_events, run_id, after, READ_LIMIT))
            self._reading[key].add_done_callback(lambda _: self._reading.pop(key, None))
        return await asyncio.shield(self._reading[key])

    async def request(self, message: dict[str, Any]) -> None:
        """Ask whichever driver holds the run for frames."""
        await self._bus.publish(DRIVERS, {"kind": "request", "reader": self.reader_id} | message)

    async def _watch(self) -> None:
        try:
            async with Doorbell(self._hear_doorbell):
                await self._bus.subscribe(READERS, self._hear_readers)
                await self._bus.subscribe(reader_topic(self.reader_id), self._hear)
                self._ready.set()
                announcer = asyncio.create_task(self._announce_forever(), name="live-interest")
                try:
                    while self._is_needed() or await self._is_needed_after_a_while():
                        await self._look_at_all()
                finally:
                    announcer.cancel()
        finally:
            self.closed = True
            self._ready.set()
            await self._bus.close()
            await self._threads.close()

    def _is_needed(self) -> bool:
        # Who reads is about to follow: ended under it, its read would be cancelled, and its connection with it.
        return bool(self._runs or self._ears or self._reads)

    async def _is_needed_after_a_while(self) -> bool:
        """A page that reloads leaves and comes back: connections are worth keeping for that long."""
        await asyncio.sleep(LINGER_SECONDS)
        needed = self._is_needed()
        self.closed = not needed
        return needed

    async def _look_at_all(self) -> None:
        rung = True
        try:
            async with asyncio.timeout(QUERY_SECONDS):
                await self._changed.wait()
            await asyncio.sleep(GATHER_SECONDS)
        except TimeoutError:
            rung = False
        self._changed.clear()
        for ear, every_second in list(self._ears.items()):
            if rung or every_second:
                ear()
        if self._runs:
            await self._tell_heads()

    async def _tell_heads(self) -> None:
        asked = list(self._runs.items())
        try:
            heads = await self.read(fetch_heads, [UUID(run) for run, _ in asked])
        except Exception as exc:
            logger.warning("Followed runs could not be read (%s: %s); trying again.", type(exc).__name__, exc)
            await asyncio.sleep(QUERY_SECONDS)
            return
        for run, followed in asked:
            head = heads.get(UUID(run))
            if head != followed.head or head is None:
                followed.head = head
                for listener in followed.listeners:
                    listener.see_head(head)
                self._pace.wake(followed.listeners)

    def _hear_doorbell(self, run_ids: list[UUID] | None) -> None:
        if run_ids is None or self._ears or any(str(run_id) in self._runs for run_id in run_ids):
            self._changed.set()

    def _hear(self, message: Message) -> None:
        """News of many runs: doorbells and frames."""
        for part in message["parts"]:
            followed = self._runs.get(part["run"])
            if followed is not None:
                self._tell(followed, part)

    def _tell(self, followed: _Followed, part: Message) -> None:
        """The part itself is shared by all followers; they read what they like of it when they are woken."""
        for listener in followed.listeners:
            if part["kind"] == "doorbell":
                listener.see_last(int(part["last"]))
            elif part["kind"] == "frames":
                listener.see_frames(part, int(part["size"]))
        self._pace.wake(followed.listeners)

    def _hear_readers(self, message: Message) -> None:
        if message.get("kind") == "interest?":
            self._interest_due.set()

    async def _announce_forever(self) -> None:
        while True:
            self._interest_due.clear()
            await self._announce()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(INTEREST_SECONDS):
                    await self._interest_due.wait()

    async def _announce_change(self) -> None:
        """Of many followers that come at once, the first one announces all that came meanwhile."""
        async with self._announcing:
            if not self._runs.keys() <= self._announced:
                await self._announce()

    async def _announce(self) -> None:
        runs = frozenset(self._runs)
        message = {"kind": "interest", "reader": self.reader_id, "runs": list(runs)}
        await self._bus.publish(DRIVERS, message)
        self._announced = runs


_watchers: WeakKeyDictionary[asyncio.AbstractEventLoop, Watcher] = WeakKeyDictionary()


def get_watcher() -> Watcher:
    """The watcher of the running loop, started when it is needed and stopped when nobody follows any more."""
    loop = asyncio.get_running_loop()
    watcher = _watchers.get(loop)
    if watcher is None or watcher.closed:
        watcher = _watchers[loop] = Watcher()
    return watcher
