"""The live bus over Django's channel layer, whichever it is."""

import asyncio
import json
import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable
from typing import Any

from channels import DEFAULT_CHANNEL_LAYER
from channels.layers import get_channel_layer
from django.core.exceptions import ImproperlyConfigured

from runs import clock
from runs.events.bus import Handler, Message

logger = logging.getLogger(__name__)

_RETRY_SECONDS = 1.0
_COMPLAIN_SECONDS = 10.0


class LayerBus:
    """`runs.events.bus.Bus`: one receive channel per loop, one group per topic, JSON text as the body.

    An error of the layer is logged and tried again: a lost hint costs a second, a raised one would cost a run.
    """

    def __init__(self, alias: str = DEFAULT_CHANNEL_LAYER) -> None:
        self._layer: Any = get_channel_layer(alias)
        if self._layer is None:
            raise ImproperlyConfigured(f"There is no channel layer {alias!r}. Set CHANNEL_LAYERS.")
        self._handlers: defaultdict[str, list[Handler]] = defaultdict(list)
        self._unjoined: set[str] = set()
        self._channel: str | None = None
        self._opening = asyncio.Lock()
        self._tasks: list[asyncio.Task[None]] = []
        self._complained_at = 0.0

    async def publish(self, topic: str, message: Message) -> None:
        await self.publish_text(topic, json.dumps(message, separators=(",", ":")))

    async def publish_text(self, topic: str, text: str) -> None:
        body = {"type": "bus", "topic": topic, "body": text}
        for last_try in (False, True):
            try:
                await self._layer.group_send(topic, body)
                return
            except Exception as exc:
                if last_try:
                    self._complain("A message was lost", exc)

    async def subscribe(self, topic: str, handler: Handler) -> Callable[[], Awaitable[None]]:
        self._handlers[topic].append(handler)
        if len(self._handlers[topic]) == 1:
            await self._join(topic)

        async def unsubscribe() -> None:
            await self._remove(topic, handler)

        return unsubscribe

    async def close(self) -> None:
        for topic in list(self._handlers):
            await self._leave(topic)
        self._handlers.clear()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()
        self._channel = None

    async def _join(self, topic: str) -> None:
        try:
            await self._layer.group_add(topic, await self._open())
            self._unjoined.discard(topic)
        except Exception as exc:
            self._unjoined.add(topic)
            self._start_rejoining()
            self._complain("A subscription waits for its channel layer", exc)

    async def _open(self) -> str:
        async with self._opening:
            if self._channel is None:
                self._channel = str(await self._layer.new_channel())
                self._tasks.append(asyncio.create_task(self._receive(self._channel), name="live-bus"))
            return self._channel

    def _start_rejoining(self) -> None:
        if not any(task.get_name() == "live-bus-rejoin" and not task.done() for task in self._tasks):
            self._tasks.append(asyncio.create_task(self._rejoin(), name="live-bus-rejoin"))

    async def _rejoin(self) -> None:
        while self._unjoined:
            await asyncio.sleep(_RETRY_SECONDS)
            for topic in list(self._unjoined):
                await self._join(topic)

    async def _remove(self, topic: str, handler: Handler) -> None:
        handlers = self._handlers.get(topic, [])
        if handler in handlers:
            handlers.remove(handler)
        if not handlers:
            self._handlers.pop(topic, None)
            await self._leave(topic)

    async def _leave(self, topic: str) -> None:
        self._unjoined.discard(topic)
        if self._channel is None:
            return
        try:
            await self._layer.group_discard(topic, self._channel)
        except Exception as exc:
            self._complain("A subscription could not be given back", exc)

    async def _receive(self, channel: str) -> None:
        while True:
            try:
                self._dispatch(await self._layer.receive(channel))
            except Exception as exc:
                self._complain("The channel layer cannot be read", exc)
                await asyncio.sleep(_RETRY_SECONDS)

    def _dispatch(self, envelope: dict[str, Any]) -> None:
        message = json.loads(envelope["body"])
        for handler in list(self._handlers.get(envelope["topic"], ())):
            try:
                handler(message)
            except Exception:
                logger.exception("A handler of the live bus failed.")

    def _complain(self, what: str, exc: Exception) -> None:
        if clock.monotonic() - self._complained_at > _COMPLAIN_SECONDS:
            self._complained_at = clock.monotonic()
            logger.warning("%s (%s: %s); readers heal from the log.", what, type(exc).__name__, exc)
