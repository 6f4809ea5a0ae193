"""What the scripted provider says when no rule of a scenario says it: derived from the question alone."""

import hashlib
import json
import math
import re
import struct
import zlib

from providers.requests import ChatRequest
from providers.scripted.instance import instance

DIMENSIONS = 64
SIDE = 64


def digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]


def words_of(text: str) -> list[str]:
    return re.findall(r"\w+(?:['.-]\w+)*", text)


def default_text(request: ChatRequest) -> str:
    """An instance of the output schema as JSON, or one sentence that names the question by digest and first words."""
    asked = request.last_user_text
    if request.output_schema is not None:
        return json.dumps(instance(request.output_schema, words_of(asked)), ensure_ascii=False)
    return f"Scripted answer to {digest(asked)}: {' '.join(words_of(asked)[:12])}"


def pieces(text: str) -> list[str]:
    """The text in pieces of four words, as a stream would bring it."""
    words = re.findall(r"\s*\S+\s*$|\s*\S+", text) or ([text] if text else [])
    return ["".join(words[start : start + 4]) for start in range(0, len(words), 4)]


def fragments(text: str) -> list[str]:
    """JSON text in at most three fragments."""
    size = max(-(-len(text) // 3), 1)
    return [text[start : start + size] for start in range(0, len(text), size)]


def vector(text: str) -> list[float]:
    """A unit vector of the text's words, hashed: texts that share words lie close together."""
    found = [0.0] * DIMENSIONS
    for word in words_of(text.lower()) or [""]:
        hashed = hashlib.sha256(word.encode("utf-8", "surrogatepass")).digest()
        found[hashed[0] % DIMENSIONS] += 1.0 if hashed[1] & 1 else -1.0
    length = math.sqrt(sum(value * value for value in found))
    return [value / length for value in found] if length else [1.0] + [0.0] * (DIMENSIONS - 1)


def picture(prompt: str) -> bytes:
    """A PNG of 64 by 64 pixels: a gradient between two colours of the prompt's digest."""
    colours = hashlib.sha256(prompt.encode("utf-8", "surrogatepass")).digest()
    rows = b"".join(b"\0" + b"".join(_pixel(colours, x, y) for x in range(SIDE)) for y in range(SIDE))
    header = struct.pack(">IIBBBBB", SIDE, SIDE, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(rows)) + _chunk(b"IEND", b"")


def _pixel(colours: bytes, x: int, y: int) -> bytes:
    share = (x + y) / (2 * SIDE - 2)
    return bytes(round(colours[i] * (1 - share) + colours[i + 3] * share) for i in range(3))


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
