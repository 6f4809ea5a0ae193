"""A message to the webhook: signed as Standard Webhooks says, to a public address, without following redirects."""

import base64
import hmac
import json
from typing import Final
from urllib.parse import SplitResult, urlsplit

from hitl.conf import get_settings
from hitl.models import Delivery
from hitl.notify.outward import PrivateAddress, connection
from runs import clock

TOTAL_SECONDS: Final = 15.0
SECRET_PREFIX: Final = "whsec_"


class WebhookRefused(Exception):
    """The message was not taken; the text says why."""


def send(delivery: Delivery) -> str:
    """Post it; an empty text. Raises WebhookRefused, OSError, HTTPException."""
    settings = get_settings()
    url, body = urlsplit(settings.webhook_url), json.dumps(delivery.data, separators=(",", ":")).encode()
    headers = _headers(url, settings.webhook_secret, str(delivery.pk), body)
    path = (url.path or "/") + (f"?{url.query}" if url.query else "")
    try:
        with connection(url, allow_private=settings.webhook_allow_private, seconds=TOTAL_SECONDS) as opened:
            opened.request("POST", path, body=body, headers=headers)
            status = opened.getresponse().status
    except PrivateAddress as exc:
        raise WebhookRefused(f"{exc} Set PERDURE_WEBHOOK_ALLOW_PRIVATE to post inside a network.") from exc
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
