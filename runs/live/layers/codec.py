"""Messages of a channel layer as JSON text. Channels allows bytes in a message; JSON does not, so they are tagged."""

import json
from base64 import b64decode, b64encode
from typing import Any

_BYTES = "__bytes__"


def encode(value: Any) -> str:
    """ASCII JSON of `value`, so that characters and bytes count the same. Raises TypeError for other values."""
    return json.dumps(value, separators=(",", ":"), default=_tag_bytes)


def decode(text: str) -> Any:
    return json.loads(text, object_hook=_untag_bytes)


def _tag_bytes(value: Any) -> dict[str, str]:
    if isinstance(value, bytes | bytearray | memoryview):
        return {_BYTES: b64encode(value).decode("ascii")}
    raise TypeError(f"A channel layer carries JSON values and bytes, not {type(value).__name__}. Convert it first.")


def _untag_bytes(found: dict[str, Any]) -> Any:
    return b64decode(found[_BYTES]) if found.keys() == {_BYTES} else found
