"""Protocol events as server-sent events: the bytes, and the headers that keep proxies from gathering them.

The protocol's clients split at LF and read one `data:` line per event; `id:` stands directly before it. Whatever some
client's reader takes for the end of a line is escaped, and no event is longer than what official clients accept.
"""

import json
import re
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from typing import Any, NamedTuple

from ag_ui.core import BaseEvent
from django.http import StreamingHttpResponse

from perdure.agui.compat import OlderShape
from runs.live.encodings import in_chunks

KEEP_ALIVE = b": keep-alive\n\n"
CHUNK_BYTES = 64 * 1024
_LINE_ENDS = re.compile("[\x85\u2028\u2029]")


class Told(NamedTuple):
    """An event as it is sent. `id` is empty for what nobody can go on from; `older` makes older shapes of it."""

    id: str
    event: BaseEvent
    older: OlderShape | None = None


def encode_json(event: BaseEvent | dict[str, Any]) -> str:
    """One line of JSON, absent fields left out."""
    if isinstance(event, BaseEvent):
        text = event.model_dump_json(by_alias=True)
    else:
        text = json.dumps(event, ensure_ascii=False, separators=(",", ":"))
    return text if text.isascii() else _LINE_ENDS.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def encode_sse(told: Told) -> bytes:
    return _block(told.id, told.event)


def encode_older(told: Told) -> bytes:
    """One event can be several of the older ones: who got the last of them has it."""
    shapes = told.older.of(told.event) if told.older is not None else []
    ids = [""] * (len(shapes) - 1) + [told.id]
    return b"".join(map(_block, ids, shapes))


def _block(id: str, event: BaseEvent | dict[str, Any]) -> bytes:
    place = f"id: {id}\n" if id else ""
    return f"{place}data: {encode_json(event)}\n\n".encode()


def stream_response(batches: AsyncGenerator[list[Told], None], *, older: bool = False) -> StreamingHttpResponse:
    """Batches of events as they come; an empty one is a sign of life. `older`: in the shape of `?compat=jobworkerp`."""
    encode = encode_older if older else encode_sse
    response = StreamingHttpResponse(_encoded(batches, encode), content_type="text/event-stream")
    response["Cache-Control"] = "no-cache, no-transform"
    # Compression gathers output, and Django 5.2 compresses each chunk alone; proxies must not gather either.
    response["Content-Encoding"] = "identity"
    response["X-Accel-Buffering"] = "no"
    return response


async def _encoded(batches: AsyncGenerator[list[Told], None], encode: Callable[[Told], bytes]) -> AsyncIterator[bytes]:
    try:
        async for batch in batches:
            for chunk in in_chunks(map(encode, batch), CHUNK_BYTES) if batch else [KEEP_ALIVE]:
                yield chunk
    finally:
        await batches.aclose()
