"""Daphne takes whatever an application sends into memory; this lets an application wait for a slow client instead."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[Any]]


class Backpressure:
    """Makes `send` wait while the server's buffer for this client is full (64 KiB in Twisted).

    Daphne's `send` is bound to the connection's protocol, and Twisted tells a registered producer when to pause. With
    another server, which waits by itself or not, everything passes as it is.
    """

    def __init__(self, application: Application) -> None:
        self._application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        consumer = _consumer_of(send)
        if consumer is None:
            await self._application(scope, receive, send)
            return
        valve = Valve(consumer, send)
        try:
            await self._application(scope, receive, valve.send)
        finally:
            valve.take_out()


class Valve:
    """A push producer as Twisted knows it; called in the loop's thread."""

    def __init__(self, consumer: Any, send: Send) -> None:
        self._consumer = consumer
        self._send = send
        self._open = asyncio.Event()
        self._open.set()
        self._in_place = False

    async def send(self, message: dict[str, Any]) -> None:
        if message["type"] == "http.response.body" and not message.get("more_body"):
            self.take_out()  # Twisted wants it gone before a response is finished
        elif message["type"] in ("websocket.send", "http.response.body"):
            self._put_in()
            if not self._open.is_set():
                await self._open.wait()
        await self._send(message)

    def _put_in(self) -> None:
        """With the first message that can be large: most answers are one message, and need no valve."""
        if not self._in_place:
            self._in_place = True
            with suppress(RuntimeError, ValueError, AttributeError):  # the client is gone, or somebody else regulates
                self._consumer.registerProducer(self, True)

    def take_out(self) -> None:
        if self._in_place:
            self._in_place = False
            with suppress(RuntimeError, ValueError, AttributeError):
                self._consumer.unregisterProducer()
        self._open.set()

    # ------------------------------------------------------------------------------------------ what Twisted calls
    def pauseProducing(self) -> None:  # noqa: N802
        self._open.clear()

    def resumeProducing(self) -> None:  # noqa: N802
        self._open.set()

    def stopProducing(self) -> None:  # noqa: N802
        """The connection is lost; what is sent now goes nowhere."""
        self._open.set()


def _consumer_of(send: Any) -> Any:
    """What a producer can be registered with: the request of an HTTP exchange, the channel below a WebSocket.

    After its upgrade a WebSocket's transport still regulates the HTTP channel, which passes the word on.
    """
    protocol = next(iter(getattr(send, "args", ())), None)
    if protocol is None or not hasattr(protocol, "transport"):
        return None
    if hasattr(protocol, "responseHeaders"):
        return protocol
    return getattr(protocol.transport, "producer", None) or protocol.transport
