"""A client of the WebSockets, inside the tests' process."""

import json
from typing import Any

from asgiref.testing import ApplicationCommunicator
from channels.testing import WebsocketCommunicator

HOST = (b"host", b"localhost")
SECONDS_AT_MOST = 60


class Socket(WebsocketCommunicator):  # type: ignore[misc]  # channels carries no types
    # Channels' own would keep database connections open, for tests inside one transaction.
    send_input = ApplicationCommunicator.send_input

    async def receive_output(self, timeout: float = SECONDS_AT_MOST) -> dict[str, Any]:
        """Whatever is asked for: Channels' own methods ask for a second, and a loaded machine takes longer."""
        found: dict[str, Any] = await ApplicationCommunicator.receive_output(self, SECONDS_AT_MOST)
        return found

    async def wait(self, timeout: float = SECONDS_AT_MOST) -> None:
        await ApplicationCommunicator.wait(self, SECONDS_AT_MOST)

    async def message(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(await self.receive_from())
        return found

    async def closed(self) -> tuple[int, str]:
        """The close code, and the reason that was sent before it."""
        reason = ""
        while True:
            output = await self.receive_output()
            if output["type"] == "websocket.close":
                return output["code"], reason
            message = json.loads(output["text"])
            reason = message["error"]["code"] if message["type"] == "error" else ""

    async def events(self) -> list[dict[str, Any]]:
        """All messages until the socket is closed."""
        found = []
        while True:
            output = await self.receive_output()
            if output["type"] == "websocket.close":
                assert output["code"] == 1000
                return found
            found.append(json.loads(output["text"]))
