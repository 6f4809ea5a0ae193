"""A socket is opened by pages of the host that was called, by allowed origins, and by programs without an origin."""

import pytest

from perdure.origin import OriginCheck


async def opened(origin: str | None, host: str = "localhost:8000") -> bool:
    reached = []

    async def application(scope, receive, send):
        reached.append(scope)

    async def receive():
        return {"type": "websocket.connect"}

    async def send(message):
        assert message == {"type": "websocket.close"}

    check = OriginCheck(application, ["https://app.example"], ["localhost", ".example"])
    headers = [(b"host", host.encode())] + ([(b"origin", origin.encode())] if origin is not None else [])
    await check({"type": "websocket", "headers": headers}, receive, send)
    return bool(reached)


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("http://localhost:8000", "localhost:8000"),
        ("https://runs.example", "runs.example"),
        ("https://app.example", "localhost:8000"),
        (None, "localhost:8000"),
    ],
)
async def test_own_pages_allowed_origins_and_programs_may_open_a_socket(origin, host):
    assert await opened(origin, host)


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("http://localhost:3000", "localhost:8000"),
        ("http://evil.test", "localhost:8000"),
        ("http://app.example", "localhost:8000"),
        ("null", "localhost:8000"),
        ("", "localhost:8000"),
        ("http://[", "localhost:8000"),
        ("http://evil.test", "evil.test"),
        (None, "evil.test"),
    ],
)
async def test_pages_of_other_sites_and_unknown_hosts_may_not(origin, host):
    assert not await opened(origin, host)
