"""Bodies without a Content-Length, through the ASGI application as a server calls it."""

from collections.abc import AsyncIterator

import httpx
import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.core.asgi import get_asgi_application

from perdure.accounts.tokens import create_token
from runs.models import Run

pytestmark = pytest.mark.django_db(transaction=True)


async def _pieces(*pieces: bytes) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


async def _post(user: User, path: str, *pieces: bytes, content_type: str = "application/json") -> httpx.Response:
    token = await sync_to_async(create_token)(user, "tests")
    transport = httpx.ASGITransport(app=get_asgi_application())
    headers = {"Authorization": f"Bearer {token}", "Content-Type": content_type}
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost", headers=headers) as client:
        return await client.post(path, content=_pieces(*pieces))


async def test_a_streamed_body_is_read_whole(alice: User) -> None:
    response = await _post(alice, "/api/runs/", b'{"job": "echo", ', b'"input": {"text": "in two pieces"}}')
    assert response.status_code == 201
    assert response.json()["input"] == {"text": "in two pieces"}


async def test_a_streamed_body_meets_the_same_limits(alice: User) -> None:
    piece = b'{"job": "' + b"x" * 1024 * 1024
    assert (await _post(alice, "/api/runs/", piece, piece, piece)).json()["error"]["code"] == "payload_too_large"
    assert (await _post(alice, "/api/runs/", b"{")).json()["error"]["code"] == "malformed_json"
    refused = await _post(alice, "/api/runs/", b"{}", content_type="text/plain")
    assert refused.json()["error"]["code"] == "unsupported_media_type"
    assert not await Run.objects.aexists()
