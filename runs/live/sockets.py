"""What every live WebSocket does: sign in, answer pings, refuse with a code and its reason, stop when it must.

Plain ASGI instead of Channels' consumers: those take a channel of the layer per socket, and here one bus subscription
serves all sockets of a process.
"""

import asyncio
import json
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any

from runs.errors import RunsError
from runs.live.access import Viewer
from runs.live.errors import CLOSE_CODE, InvalidMessage, MessageTooBig, NotSignedIn, SignInTimeout, error_body
from runs.live.watcher import get_watcher

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Any, Receive, Send], Awaitable[None]]

SUBPROTOCOL = "perdure"
MAX_MESSAGE_BYTES = 64 * 1024
SIGN_IN_SECONDS = 10.0


def encode_message(message: Message) -> str:
    return json.dumps(message, separators=(",", ":"))


async def one_by_one(messages: AsyncIterator[Message]) -> AsyncIterator[list[str]]:
    """Messages that come seldom, as `Socket.batches` wants them."""
    async for message in messages:
        yield [encode_message(message)]


class Disconnected(Exception):
    """The client went away."""


class Socket(ABC):
    """One connection. Each message is one JSON object; close codes are 1000 or those of CLOSE_CODE."""

    viewer_class: type[Viewer] = Viewer
    max_message_bytes = MAX_MESSAGE_BYTES

    def __init__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        self.scope = scope
        self._receive = receive
        self._send_to_server = send

    @classmethod
    def as_asgi(cls) -> Application:
        async def application(scope: Any, receive: Receive, send: Send) -> None:
            await cls(scope, receive, send).run()

        return application

    @abstractmethod
    def batches(self, viewer: Viewer) -> AsyncIterator[list[str]]:
        """What to send until the end, each text one message: all that there is at a moment in one list.

        Raises RunsError to refuse or to end with its close code.
        """

    async def run(self) -> None:
        try:
            await self._next()
            await self._send({"type": "websocket.accept", "subprotocol": self._subprotocol()})
            viewer = await self._sign_in()
            await self._serve(viewer)
            await self._close(1000, "Everything was sent.")
        except RunsError as exc:
            with suppress(Disconnected):
                await self._refuse(exc)
        except Disconnected:
            return

    def _subprotocol(self) -> str | None:
        """Browsers drop a socket whose offers were all ignored; a token is echoed only if nothing else is offered."""
        offered = [name for name in self.scope.get("subprotocols", []) if name.split(".")[0] == SUBPROTOCOL]
        return SUBPROTOCOL if SUBPROTOCOL in offered else next(iter(offered), None)

    async def _sign_in(self) -> Viewer:
        """By what the connection brought, else by a first message `{"type": "auth", "token": ...}`."""
        viewer = self.viewer_class.of_scope(self.scope)
        if viewer.brought_nothing:
            viewer = self.viewer_class.of_token(await self._token())
        try:
            await get_watcher().read(viewer.user)
        except NotSignedIn:  # a session that is over
            viewer = self.viewer_class.of_token(await self._token())
            await get_watcher().read(viewer.user)
        return viewer

    async def _token(self) -> str:
        try:
            async with asyncio.timeout(SIGN_IN_SECONDS):
                message = await self._message()
        except TimeoutError:
            raise SignInTimeout(SIGN_IN_SECONDS) from None
        token = message.get("token")
        if message.get("type") != "auth" or not isinstance(token, str):
            raise NotSignedIn
        return token

    async def _serve(self, viewer: Viewer) -> None:
        tasks = {asyncio.create_task(self._listen()), asyncio.create_task(self._deliver(viewer))}
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        for task in done:
            task.result()

    async def _deliver(self, viewer: Viewer) -> None:
        async for texts in self.batches(viewer):
            for text in texts:
                await self._send({"type": "websocket.send", "text": text})

    async def _listen(self) -> None:
        pong: asyncio.Task[None] | None = None
        try:
            while True:
                message = await self._message()
                if message.get("type") == "ping":
                    if pong is None or pong.done():  # a client that does not read gets one pong, not a heap of them
                        pong = asyncio.create_task(self._pong())
                elif message.get("type") != "auth":
                    raise InvalidMessage
        finally:
            if pong is not None:
                pong.cancel()

    async def _pong(self) -> None:
        with suppress(Disconnected):
            await self.send_json({"type": "pong"})

    async def _message(self) -> Message:
        """The next message of the client. Raises MessageTooBig, InvalidMessage, Disconnected."""
        frame = await self._next()
        text, data = frame.get("text"), frame.get("bytes")
        limit = self.max_message_bytes
        if len(text or data or "") > limit or (text and len(text.encode()) > limit):
            raise MessageTooBig(limit)
        try:
            message = json.loads(text or "")
        except (ValueError, RecursionError):
            raise InvalidMessage from None
        if not isinstance(message, dict):
            raise InvalidMessage
        return message

    async def _next(self) -> Message:
        frame = await self._receive()
        if frame["type"] == "websocket.disconnect":
            raise Disconnected
        return frame

    async def _send(self, message: Message) -> None:
        """Raises Disconnected: the client can be gone before its disconnect is read, and servers raise then."""
        try:
            await self._send_to_server(message)
        except (OSError, RuntimeError) as exc:
            raise Disconnected from exc

    async def send_json(self, message: Message) -> None:
        await self._send({"type": "websocket.send", "text": encode_message(message)})

    async def _refuse(self, error: RunsError) -> None:
        """Said twice: Daphne leaves out a close frame's reason."""
        if error.code not in CLOSE_CODE:
            raise error
        await self.send_json({"type": "error"} | error_body(error))
        await self._close(CLOSE_CODE[error.code], str(error))

    async def _close(self, code: int, reason: str) -> None:
        # A close frame holds 123 bytes of reason.
        await self._send(
            {"type": "websocket.close", "code": code, "reason": reason.encode()[:123].decode(errors="ignore")}
        )
