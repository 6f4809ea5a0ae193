"""Who may open a WebSocket: pages of this site, and programs that are no browser."""

from collections.abc import Awaitable, Callable, Iterable
from typing import Any
from urllib.parse import urlsplit

from django.http.request import split_domain_port, validate_host

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[Any]]

DEFAULT_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}


class OriginCheck:
    """Refuses a socket (HTTP 403) whose `Origin` is neither the `Host` that was called nor one of `allowed`.

    A browser sends the session's cookie to a socket that any page opens, so the origin is all that protects it. Host
    and port are compared, because cookies are shared between the ports of a host. A browser always sends an origin;
    a program that sends none brings a token or stays anonymous.
    """

    def __init__(self, application: Application, allowed: Iterable[str], hosts: Iterable[str]) -> None:
        self._application = application
        self._allowed = {_address(origin) for origin in allowed}
        self._hosts = list(hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._may_open(scope):
            await self._application(scope, receive, send)
        else:
            await receive()
            await send({"type": "websocket.close"})

    def _may_open(self, scope: Scope) -> bool:
        headers = {name: value.decode("latin1") for name, value in scope["headers"] if name in (b"origin", b"host")}
        host = headers.get(b"host", "")
        if not validate_host(split_domain_port(host)[0], self._hosts):
            return False
        origin = headers.get(b"origin")
        if origin is None:
            return True
        found = _address(origin)
        return found is not None and (
            found in self._allowed or found == _address(f"{urlsplit(origin).scheme}://{host}")
        )


def _address(origin: str) -> tuple[str, int] | None:
    try:
        parts = urlsplit(origin)
        port = parts.port or DEFAULT_PORTS[parts.scheme]
    except (ValueError, KeyError):
        return None
    return (parts.hostname.lower(), port) if parts.hostname else None
