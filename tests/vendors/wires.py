"""What each wire is able to do: read a call, and put an answer or an error into its own words."""

import base64
import hashlib
import json
import struct
import zlib
from dataclasses import dataclass
from typing import Any, Protocol

from tests.vendors.answers import Answer
from tests.vendors.prompts import BadBody, Body, Prompt

OPENED_AT = 1_780_000_000
"""The time that answers carry: fixed, so that the same call gets the same bytes."""


@dataclass(frozen=True)
class Streamed:
    """A stream's bytes: pieces of content between what opens it and what ends it."""

    media_type: str
    opening: bytes
    pieces: tuple[bytes, ...]
    closing: bytes
    malformed: bytes


class Wire(Protocol):
    """A module of this package: `openai`, `ollama` or `anthropic`."""

    def read(self, operation: str, body: Body) -> Prompt: ...
    def streamed(self, prompt: Prompt, answer: Answer) -> Streamed: ...
    def whole(self, prompt: Prompt, answer: Answer) -> Body: ...
    def error(self, fault: str, prompt: Prompt, message: str) -> Body: ...
    def error_piece(self, error: Body) -> bytes: ...


def compact(data: Any) -> str:
    return json.dumps(data, separators=(",", ":"))


def event(data: Any, name: str = "") -> bytes:
    """A server-sent event."""
    head = f"event: {name}\n" if name else ""
    return f"{head}data: {compact(data)}\n\n".encode()


def needed(body: Body, key: str, kind: type) -> Any:
    """Raises: BadBody where the key is missing or of another type."""
    if not isinstance(body.get(key), kind):
        raise BadBody(f"'{key}' is required and must be a {kind.__name__}")
    return body[key]


def parsed(arguments: str) -> Any:
    """A tool call's arguments as JSON; broken ones as {}: such a text never gets through where they are an object."""
    try:
        return json.loads(arguments or "{}")
    except json.JSONDecodeError:
        return {}


def image_count(parts: list[Any], *kinds: str) -> int:
    return sum(part.get("type") in kinds for part in parts if isinstance(part, dict))


def joined_text(parts: Any) -> str:
    """The text of a message's content: a text itself, or its parts of type text."""
    if isinstance(parts, list):
        return "".join(part.get("text", "") for part in parts if isinstance(part, dict))
    return parts or ""


def vector(text: str, dimensions: int = 8) -> list[float]:
    """An embedding: from the text's hash, of length 1."""
    raw = hashlib.sha512(text.encode()).digest()
    numbers = [raw[at % len(raw)] / 127.5 - 1 for at in range(dimensions)]
    length = sum(number**2 for number in numbers) ** 0.5 or 1.0
    return [round(number / length, 6) for number in numbers]


def png(prompt: str, size: int = 16) -> str:
    """A square PNG of one colour, from the prompt's hash; in base64."""
    colour = hashlib.sha256(prompt.encode()).digest()[:3]
    rows = b"".join(b"\0" + colour * size for _ in range(size))
    header = struct.pack(">IIBBBBB", size, size, 8, 2, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    chunks = (struct.pack(">I", len(d)) + k + d + struct.pack(">I", zlib.crc32(k + d)) for k, d in parts)
    return base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"".join(chunks)).decode()
