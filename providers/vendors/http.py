"""The HTTP client under the vendors' SDKs."""

import json
import ssl
from functools import cache

import httpx2

from providers.errors import MalformedAnswer

CONNECT_SECONDS = 10.0
CONNECTIONS = 1000


def http_client(timeout_seconds: float) -> httpx2.AsyncClient:
    """Each silence on the wire is limited. A redirect is no answer: it could carry the key to another host."""
    return httpx2.AsyncClient(
        verify=_certificates(),
        timeout=httpx2.Timeout(timeout_seconds, connect=min(timeout_seconds, CONNECT_SECONDS)),
        limits=httpx2.Limits(max_connections=CONNECTIONS, max_keepalive_connections=100),
        follow_redirects=False,
        event_hooks={"response": [_refuse_what_is_no_stream]},
    )


@cache
def _certificates() -> ssl.SSLContext:
    """Read once: it takes tens of milliseconds, in which no other run of the process goes on."""
    return httpx2.create_ssl_context()


async def _refuse_what_is_no_stream(response: httpx2.Response) -> None:
    """A page or a document where a stream was asked for would else be read as a stream without events."""
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if not response.is_success or kind not in {"application/json", "text/html"}:
        return
    if _asked_for_a_stream(response.request):
        await response.aclose()
        raise MalformedAnswer(f"The provider answered {kind} where a stream was asked for.")


def _asked_for_a_stream(request: httpx2.Request) -> bool:
    try:
        body = json.loads(request.content)
    except (ValueError, httpx2.RequestNotRead):
        return False
    return isinstance(body, dict) and body.get("stream") is True
