"""System checks: a webhook or mails that could not be sent, or whose links lead nowhere."""

import base64
import binascii
import ipaddress
from collections.abc import Iterator
from typing import Any
from urllib.parse import SplitResult, urlsplit

from django.core import checks
from django.core.checks import CheckMessage, Error, register

from hitl.conf import HitlSettings, get_settings
from hitl.notify.outward import is_public
from hitl.notify.webhook import SECRET_PREFIX, is_encoded

LOCAL = {"localhost", "127.0.0.1", "::1"}
SHORTEST_SECRET = 24


@register()
def check_webhook(**_: Any) -> list[CheckMessage]:
    """The address and the secret (hitl.E001, E002, W003)."""
    settings = get_settings()
    if not settings.webhook_url:
        return []
    url = _parts(settings.webhook_url)
    if url is None:
        return [
            Error(
                "PERDURE_WEBHOOK_URL is not an http or https address without a user name.",
                hint="Write it as in https://hooks.example/perdure, or leave it out.",
                id="hitl.E001",
            )
        ]
    return [*_secret(settings.webhook_secret), *_private(url, settings)]


@register()
def check_links(**_: Any) -> list[CheckMessage]:
    """What mails and webhooks lead to (hitl.W004, E005)."""
    settings = get_settings()
    if not (settings.email or settings.webhook_url):
        return []
    url = _parts(settings.base_url)
    if url is None:
        return [
            Error(
                f"PERDURE_BASE_URL is {settings.base_url!r}, so links in mails and webhooks lead nowhere.",
                hint="Write the address that people use, as in https://perdure.example.",
                id="hitl.E005",
            )
        ]
    if url.hostname not in LOCAL:
        return []
    return [
        checks.Warning(
            f"Links in mails and webhooks lead to {settings.base_url}, which only this machine reaches.",
            hint="Set PERDURE_BASE_URL to the address that people use, as in https://perdure.example.",
            id="hitl.W004",
        )
    ]


def _secret(secret: str) -> Iterator[CheckMessage]:
    if len(_key(secret)) < SHORTEST_SECRET:
        yield Error(
            f"PERDURE_WEBHOOK_SECRET is missing, shorter than {SHORTEST_SECRET} bytes, or not base64 after "
            f"{SECRET_PREFIX!r}: who receives the webhook could not tell your messages from others.",
            hint=f"Give both sides one random value: {SECRET_PREFIX!r} and then what `openssl rand -base64 32` prints.",
            id="hitl.E002",
        )


def _private(url: SplitResult, settings: HitlSettings) -> Iterator[CheckMessage]:
    if settings.webhook_allow_private or not _is_private_name(url.hostname or ""):
        return
    yield checks.Warning(
        f"PERDURE_WEBHOOK_URL leads to {url.hostname}, a private address: its messages are refused.",
        hint="Set PERDURE_WEBHOOK_ALLOW_PRIVATE=true if that is meant.",
        id="hitl.W003",
    )


def _parts(text: str) -> SplitResult | None:
    try:
        url = urlsplit(text)
        fits = url.scheme in ("http", "https") and url.hostname and url.port != 0 and "@" not in url.netloc
    except ValueError:
        return None
    return url if fits and text.isascii() and text.isprintable() and " " not in text else None


def _key(secret: str) -> bytes:
    if not is_encoded(secret):
        return secret.encode()
    try:
        return base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except binascii.Error:
        return b""


def _is_private_name(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return host == "localhost"
    return not is_public(host)
