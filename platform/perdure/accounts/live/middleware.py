from typing import Any

from channels.db import database_sync_to_async
from channels.middleware import BaseMiddleware
from django.contrib.auth.models import AnonymousUser

from perdure.accounts.tokens import find_token

SUBPROTOCOL = "perdure.token."


class TokenAuthMiddleware(BaseMiddleware):  # type: ignore[misc]  # channels has no types
    """Signs in a socket that offers the subprotocol `perdure.token.<token>`; stands inside the session's middleware.

    A token never travels in the URL, because URLs end in logs. A token that is offered is what counts, even when a
    session came along: a refused one leaves the socket anonymous. `scope["authorization"]` keeps what was sent, for
    asking again while the socket is open.
    """

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> Any:
        plain = offered_token(scope.get("subprotocols", []))
        if plain is not None:
            # Whoever acts on what a socket sends asks again, and not as a reader.
            # Not in the one thread of all sync views: behind it, many sockets that open at once took seconds each.
            token = await database_sync_to_async(find_token, thread_sensitive=False)(plain, reading=True)
            user = token.user if token else AnonymousUser()
            scope = scope | {"user": user, "authorization": f"Bearer {plain}"}
        return await super().__call__(scope, receive, send)


def offered_token(subprotocols: list[str]) -> str | None:
    """The token among the offered subprotocols; None when there is none."""
    return next((name.removeprefix(SUBPROTOCOL) for name in subprotocols if name.startswith(SUBPROTOCOL)), None)
