"""What the SQLite and the PostgreSQL layer share: a send is written once and each process serves its own members."""

import asyncio
from abc import ABC, abstractmethod
from collections import defaultdict, deque
from collections.abc import Callable
from typing import Any, Literal
from uuid import uuid4
from weakref import WeakKeyDictionary

from channels.exceptions import ChannelFull
from channels.layers import BaseChannelLayer

from runs import clock

Message = dict[str, Any]
Kind = Literal["channel", "group"]
Deliver = Callable[[Kind, str, Message], None]


class Transport(ABC):
    """Carries messages between the processes of one layer; one per event loop."""

    @abstractmethod
    async def publish(self, kind: Kind, target: str, message: Message) -> None:
        """Write the message once. Raises the driver's error when it cannot be written."""

    @abstractmethod
    async def listen(self) -> None:
        """From the return of this call on, every message published anywhere is delivered. Repeating it is free."""

    @abstractmethod
    def close(self) -> None:
        """Give back connections; also called when the loop is closed, hence without awaiting."""


class Mailboxes:
    """Channels and groups of one event loop. Queues are bounded: what does not fit is dropped, as Channels says."""

    def __init__(self, capacity: Callable[[str], int], expiry: float, group_expiry: float) -> None:
        self._capacity = capacity
        self._expiry = expiry
        self._group_expiry = group_expiry
        self._queues: dict[str, deque[tuple[float, Message]]] = {}
        self._arrived: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)
        self._groups: dict[str, dict[str, float]] = {}
        self._received_at: dict[str, float] = {}

    def open(self, channel: str) -> None:
        if channel not in self._queues:
            self._forget_abandoned()
            self._queues[channel] = deque()

    def join(self, group: str, channel: str) -> None:
        self.open(channel)
        self._groups.setdefault(group, {})[channel] = clock.monotonic()

    def leave(self, group: str, channel: str) -> None:
        members = self._groups.get(group, {})
        members.pop(channel, None)
        if not members:
            self._groups.pop(group, None)

    def deliver(self, kind: Kind, target: str, message: Message) -> None:
        if kind == "channel":
            if target in self._queues:
                self._put(target, message)
            return
        for channel, joined_at in list(self._groups.get(target, {}).items()):
            if joined_at < clock.monotonic() - self._group_expiry:
                self.leave(target, channel)
            else:
                self._put(channel, dict(message))

    def _put(self, channel: str, message: Message) -> None:
        queue = self._queues.setdefault(channel, deque())
        if len(queue) < self._capacity(channel):
            queue.append((clock.monotonic() + self._expiry, message))
            self._arrived[channel].set()

    async def take(self, channel: str) -> Message:
        self.open(channel)
        try:
            while True:
                if (message := self._next(channel)) is not None:
                    return message
                self._arrived[channel].clear()
                await self._arrived[channel].wait()
        finally:
            self._received_at.pop(channel, None)
            self._received_at[channel] = clock.monotonic()

    def _next(self, channel: str) -> Message | None:
        queue = self._queues.setdefault(channel, deque())
        while queue:
            expires_at, message = queue.popleft()
            if expires_at > clock.monotonic():
                return message
        return None

    def _forget_abandoned(self) -> None:
        """Channels has no word for "this channel is done": one that nobody received from for long is given up."""
        limit = clock.monotonic() - self._group_expiry
        while self._received_at:
            channel, received_at = next(iter(self._received_at.items()))
            if received_at > limit:
                return
            del self._received_at[channel]
            self._queues.pop(channel, None)
            self._arrived.pop(channel, None)

    def is_full(self, channel: str) -> bool:
        return len(self._queues.get(channel, ())) >= self._capacity(channel)


class BroadcastLayer(BaseChannelLayer, ABC):  # type: ignore[misc]  # channels carries no types
    """A channel layer over a `Transport`. A channel is read by one process; groups reach members in any process."""

    extensions = ("groups", "flush")

    def __init__(
        self, expiry: float = 60, capacity: int = 2000, group_expiry: float = 3600, channel_capacity: Any = None
    ) -> None:
        super().__init__(expiry=expiry, capacity=capacity)
        self.channel_capacity = self.compile_capacities(channel_capacity or {})
        self.group_expiry = group_expiry
        self._stations: WeakKeyDictionary[asyncio.AbstractEventLoop, tuple[Mailboxes, Transport]] = WeakKeyDictionary()

    @abstractmethod
    def make_transport(self, deliver: Deliver) -> Transport:
        """A transport for the running loop that calls `deliver` in it for each message."""

    def _station(self) -> tuple[Mailboxes, Transport]:
        loop = asyncio.get_running_loop()
        if loop not in self._stations:
            boxes = Mailboxes(self.get_capacity, self.expiry, self.group_expiry)
            transport = self.make_transport(boxes.deliver)
            self._stations[loop] = boxes, transport
            _call_before_close(loop, transport.close)
        return self._stations[loop]

    async def _listening(self) -> Mailboxes:
        boxes, transport = self._station()
        await transport.listen()
        return boxes

    async def send(self, channel: str, message: Message) -> None:
        """Raises ChannelFull where this process holds the channel and sees that it is full."""
        self.require_valid_channel_name(channel)
        boxes, transport = self._station()
        if boxes.is_full(channel):
            raise ChannelFull(channel)
        await transport.publish("channel", channel, message)

    async def receive(self, channel: str) -> Message:
        self.require_valid_channel_name(channel)
        return await (await self._listening()).take(channel)

    async def new_channel(self, prefix: str = "specific") -> str:
        channel = f"{prefix}.{uuid4().hex}!{uuid4().hex[:12]}"
        (await self._listening()).open(channel)
        return channel

    async def group_add(self, group: str, channel: str) -> None:
        self.require_valid_group_name(group)
        self.require_valid_channel_name(channel)
        (await self._listening()).join(group, channel)

    async def group_discard(self, group: str, channel: str) -> None:
        self.require_valid_group_name(group)
        self._station()[0].leave(group, channel)

    async def group_send(self, group: str, message: Message) -> None:
        self.require_valid_group_name(group)
        await self._station()[1].publish("group", group, message)

    async def flush(self) -> None:
        """Forget channels, groups and connections of this loop; the layer can be used again."""
        station = self._stations.pop(asyncio.get_running_loop(), None)
        if station is not None:
            station[1].close()


def _call_before_close(loop: asyncio.AbstractEventLoop, callback: Callable[[], None]) -> None:
    """asyncio tells nobody that a loop ends, and `async_to_sync` makes one per call: its connections would leak."""
    close = loop.close

    def close_after_callback() -> None:
        callback()
        close()

    loop.close = close_after_callback  # type: ignore[method-assign]
