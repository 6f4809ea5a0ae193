"""A client can vanish between two messages: the server in front then raises on the next send."""

from collections.abc import AsyncIterator

import pytest

from runs.errors import RunNotFound
from runs.live.access import Viewer
from runs.live.sockets import Message, Socket


class Refusing(Socket):
    async def batches(self, viewer: Viewer) -> AsyncIterator[list[str]]:
        raise RunNotFound("gone")
        yield []

    async def _sign_in(self) -> Viewer:
        raise RunNotFound("gone")


@pytest.mark.parametrize("error", [RuntimeError("closed protocol"), OSError("reset")])
@pytest.mark.parametrize("failing", ["websocket.accept", "websocket.send", "websocket.close"])
async def test_a_socket_whose_client_is_gone_ends_without_an_error(failing: str, error: Exception) -> None:
    sent: list[str] = []

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def send(message: Message) -> None:
        sent.append(message["type"])
        if message["type"] == failing:
            raise error

    await Refusing({"type": "websocket", "subprotocols": []}, receive, send).run()
    assert sent[-1] == failing
