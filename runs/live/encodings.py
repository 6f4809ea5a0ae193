"""A run's events as bytes: server-sent events and NDJSON."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from runs.events.types import RunEvent


@dataclass(frozen=True)
class Encoding:
    """How one media type begins, shows an event, and shows that the line is alive."""

    media_type: str
    preamble: bytes = b""
    beat: bytes = b""

    def encode(self, event: RunEvent) -> bytes:
        return encode_json(event) + b"\n"


class SseEncoding(Encoding):
    def encode(self, event: RunEvent) -> bytes:
        """`id:` only for numbered events, so that a reconnect never continues from a frame."""
        place = b"" if event.sequence is None else b"id: %d\n" % event.sequence
        return b"%sevent: %s\ndata: %s\n\n" % (place, str(event.type).encode(), encode_json(event))


def encode_json(event: RunEvent) -> bytes:
    """The envelope in ASCII JSON on one line."""
    return event.as_json().encode("ascii")


def in_chunks(parts: Iterable[bytes], size: int) -> Iterator[bytes]:
    """Few, of about `size` bytes: what is handed to the server is in its memory until the client has it."""
    gathered = bytearray()
    for part in parts:
        gathered += part
        if len(gathered) >= size:
            yield bytes(gathered)
            gathered.clear()
    if gathered:
        yield bytes(gathered)


SSE = SseEncoding("text/event-stream", preamble=b"retry: 1000\n\n", beat=b": heartbeat\n\n")
NDJSON = Encoding("application/x-ndjson")
JSON_PAGE = Encoding("application/json")
ENCODINGS = (JSON_PAGE, SSE, NDJSON)
"""In order of preference where a client takes anything."""


def choose_encoding(accept: str, encodings: Sequence[Encoding] = ENCODINGS) -> Encoding | None:
    """By an Accept header: the highest quality, then our own order; None if nothing fits."""
    ranges = [_parse_range(part) for part in (accept or "*/*").split(",")]
    best = max(encodings, key=lambda encoding: _quality(encoding.media_type, ranges))
    return best if _quality(best.media_type, ranges) > 0 else None


def _parse_range(part: str) -> tuple[str, float]:
    media_type, *parameters = (text.strip().lower() for text in part.split(";"))
    for parameter in parameters:
        if parameter.startswith("q="):
            try:
                return media_type, min(max(float(parameter[2:]), 0.0), 1.0)
            except ValueError:
                return media_type, 0.0
    return media_type, 1.0


def _quality(media_type: str, ranges: list[tuple[str, float]]) -> float:
    """The most specific range that covers the type decides."""
    given = dict(ranges)
    for pattern in (media_type, f"{media_type.split('/')[0]}/*", "*/*"):
        if pattern in given:
            return given[pattern]
    return 0.0
