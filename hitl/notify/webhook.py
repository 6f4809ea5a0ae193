"""A message to the webhook: signed as Standard Webhooks says, to a public address, without following redirects.

The name is resolved once and that very address is called: a name that changes its address between a check and the call
would lead inside otherwise.
"""

import base64
import hmac
import http.client
import ipaddress
import json
import os
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final
from urllib.parse import SplitResult, urlsplit

from hitl.conf import get_settings
from hitl.models import Delivery
from runs import clock

CONNECT_SECONDS: Final = 5.0
TOTAL_SECONDS: Final = 15.0
SECRET_PREFIX: Final = "whsec_"
_TUNNELS = [ipaddress.ip_network(net) for net in ("64:ff9b::/96", "2002::/16", "2001::/32")]


class WebhookRefused(Exception):
    """The message was not taken; the text says why."""


def send(delivery: Delivery) -> str:
    """Post it; an empty text. Raises WebhookRefused, OSError, HTTPException."""
    settings = get_settings()
    url, body = urlsplit(settings.webhook_url), json.dumps(delivery.data, separators=(",", ":")).encode()
    with _connection(url, settings.webhook_allow_private) as connection:
        headers = _headers(url, settings.webhook_secret, str(delivery.pk), body)
        path = (url.path or "/") + (f"?{url.query}" if url.query else "")
        connection.request("POST", path, body=body, headers=headers)
        status = connection.getresponse().status
    if not 200 <= status < 300:
        hint = "; redirects are not followed" if 300 <= status < 400 else ""
        raise WebhookRefused(f"It answered {status}{hint}.")
    return ""


def sign(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """HMAC-SHA256 over `id.timestamp.body`, as `v1,<base64>`. A secret with the prefix `whsec_` is base64."""
    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX)) if is_encoded(secret) else secret.encode()
    signed = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(key, signed, "sha256")).decode()


def is_encoded(secret: str) -> bool:
    return secret.startswith(SECRET_PREFIX)


def is_public(address: str) -> bool:
    """Not of this host, this network or a tunnel into one."""
    ip = ipaddress.ip_address(address.split("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is not None:
            return is_public(str(ip.ipv4_mapped))
        if any(ip in net for net in _TUNNELS):
            return False
    return ip.is_global and not ip.is_multicast


def _headers(url: SplitResult, secret: str, message_id: str, body: bytes) -> dict[str, str]:
    timestamp = int(clock.now().timestamp())
    return {
        "Host": url.netloc.rsplit("@", 1)[-1],
        "Content-Type": "application/json",
        "User-Agent": "Perdure",
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": sign(secret, message_id, timestamp, body),
    }


@contextmanager
def _connection(url: SplitResult, allow_private: bool) -> Iterator[http.client.HTTPConnection]:
    host = url.hostname or ""
    port = url.port or (443 if url.scheme == "https" else 80)
    plain = socket.create_connection((_address(host, port, allow_private), port), CONNECT_SECONDS)
    # timeouts count from byte to byte: who answers a byte at a time is cut off by the whole duration
    line = socket.socket(fileno=os.dup(plain.fileno()))
    limit = threading.Timer(TOTAL_SECONDS, _hang_up, (line,))
    limit.start()
    connection = http.client.HTTPConnection(host, port)
    try:
        secure = url.scheme == "https"
        connection.sock = ssl.create_default_context().wrap_socket(plain, server_hostname=host) if secure else plain
        yield connection
    finally:
        limit.cancel()
        connection.close()
        plain.close()
        line.close()


def _hang_up(line: socket.socket) -> None:
    try:
        line.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # it was over already


def _address(host: str, port: int, allow_private: bool) -> str:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = [str(entry[4][0]) for entry in found]
    inside = [address for address in addresses if not is_public(address)]
    if inside and not allow_private:
        raise WebhookRefused(
            f"{host} has the private address {inside[0]}. Set PERDURE_WEBHOOK_ALLOW_PRIVATE to post inside a network."
        )
    return addresses[0]
