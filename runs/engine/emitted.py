"""An emit as JSON: a step may call it thousands of times a second, so what is plainly harmless takes a short way."""

from typing import Any

import orjson

from runs.conf import get_settings
from runs.engine.payload import dump, encode

_PLAIN_ONLY = orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_SUBCLASS


def encode_emit(data: Any, where: str) -> bytes:
    """UTF-8 JSON, secrets masked. Raises StorageError or PayloadTooLarge exactly where `payload.encode` does."""
    # null may have been no number at all, which is refused; NUL and secrets need a closer look.
    try:
        text = orjson.dumps(data, option=_PLAIN_ONLY)
    except TypeError:
        return _encode_with_care(data, where)
    if b"null" in text or b"\\u0000" in text or b"**********" in text or _may_be_refused(text):
        return _encode_with_care(data, where)
    return b"%b" % text  # a copy of its size: what orjson returns keeps the 4 KiB that it wrote into


def _may_be_refused(text: bytes) -> bool:
    """Too large, or so many brackets that some may be too deep."""
    settings = get_settings()
    if len(text) <= 2 * settings.max_payload_depth:
        return False
    return len(text) > settings.max_payload_bytes or text.count(b"[") + text.count(b"{") > settings.max_payload_depth


def _encode_with_care(data: Any, where: str) -> bytes:
    return dump(encode(data, where).shown, where).encode()
