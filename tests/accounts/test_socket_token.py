from typing import Any

import pytest
from asgiref.sync import sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.contrib.auth.models import AnonymousUser, User

from perdure.accounts import tokens
from perdure.accounts.live import TokenAuthMiddleware
from tests.live.sockets import Socket

pytestmark = pytest.mark.django_db(transaction=True)


class WhoAmI(AsyncWebsocketConsumer):
    async def connect(self) -> None:
        await self.accept()
        await self.send(f"{self.scope['user']}")


async def _who(subprotocols: list[str], session_user: Any = None) -> str:
    socket = Socket(TokenAuthMiddleware(WhoAmI.as_asgi()), "/ws/", subprotocols=subprotocols)
    socket.scope["user"] = session_user or AnonymousUser()
    await socket.connect()
    name: str = await socket.receive_from()
    await socket.disconnect()
    return name


async def test_a_token_among_the_subprotocols_signs_the_socket_in(alice: User) -> None:
    plain = await sync_to_async(tokens.create_token)(alice, "ci")
    assert await _who(["perdure", f"perdure.token.{plain}"]) == "alice"


async def test_a_refused_token_leaves_the_socket_anonymous_even_with_a_session(alice: User) -> None:
    assert await _who(["perdure", "perdure.token.pdr_wrong"], session_user=alice) == "AnonymousUser"


async def test_without_a_token_the_session_counts(alice: User) -> None:
    assert await _who(["perdure"], session_user=alice) == "alice"
    assert await _who([]) == "AnonymousUser"
