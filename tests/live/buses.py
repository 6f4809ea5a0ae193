"""Buses that do what a bus may do: lose, repeat and reorder. RUNS_BUS names them."""

import asyncio
from collections.abc import Awaitable, Callable

from runs.events.bus import Handler, Message
from runs.live.bus import LayerBus


class DroppingBus(LayerBus):
    """Nothing arrives."""

    async def publish_text(self, topic: str, text: str) -> None:
        return None


class RepeatingBus(LayerBus):
    """Everything arrives three times, the last time later."""

    async def subscribe(self, topic: str, handler: Handler) -> Callable[[], Awaitable[None]]:
        loop = asyncio.get_running_loop()

        def thrice(message: Message) -> None:
            handler(message)
            handler(message)
            loop.call_later(0.05, handler, message)

        return await super().subscribe(topic, thrice)


class ReorderingBus(LayerBus):
    """Of each two messages the later one arrives first; the longest wait is 40 ms."""

    async def subscribe(self, topic: str, handler: Handler) -> Callable[[], Awaitable[None]]:
        loop = asyncio.get_running_loop()
        count = 0

        def swapped(message: Message) -> None:
            nonlocal count
            count += 1
            loop.call_later(0.04 if count % 2 else 0.0, handler, message)

        return await super().subscribe(topic, swapped)


class LeakyBus(LayerBus):
    """Every third message is lost."""

    _count = 0

    async def publish_text(self, topic: str, text: str) -> None:
        LeakyBus._count += 1
        if LeakyBus._count % 3:
            await super().publish_text(topic, text)
