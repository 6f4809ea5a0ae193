"""A run's events over HTTP: one address, and `Accept` chooses a JSON page, server-sent events or NDJSON."""

from collections.abc import AsyncIterator, Sequence
from typing import Any, TypeVar
from urllib.parse import urlencode
from uuid import UUID

from channels.db import database_sync_to_async
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse, StreamingHttpResponse

from runs.conf import get_settings
from runs.errors import HistoryPruned, RunsError
from runs.events.log import read_events
from runs.live.access import Viewer, parse_run_id
from runs.live.encodings import ENCODINGS, JSON_PAGE, Encoding, SseEncoding, choose_encoding, in_chunks
from runs.live.errors import (
    InvalidCursor,
    InvalidLimit,
    MethodNotAllowed,
    NotAcceptable,
    error_response,
    parse_cursor,
)
from runs.live.follow import follow_gathered
from runs.live.glance import Glance, Held, glance
from runs.live.reads import Head
from runs.live.workflow_events import WORKFLOW_SSE

R = TypeVar("R", bound=HttpResponseBase)
DEFAULT_LIMIT = 100
MAX_LIMIT = 1000
CHUNK_BYTES = 256 * 1024


async def events(request: HttpRequest, run_id: str) -> HttpResponseBase:
    """`GET /api/runs/{id}/events?after=N&limit=N`; `Last-Event-ID` counts before `after`.

    A JSON page that is asked for `stream=<epoch>.<attempt>.<next offset>.<step>`, as often as there are steps that
    stream, also has the `frames` that follow, and says whether there are `more_frames`.
    """
    return await _answer_or_refuse(request, run_id, ENCODINGS)


async def workflow_events(request: HttpRequest, run_id: str) -> HttpResponseBase:
    """`GET /api/workflows/{id}/events`: server-sent events in the words of the workflow API."""
    return await _answer_or_refuse(request, run_id, (WORKFLOW_SSE,))


async def _answer_or_refuse(request: HttpRequest, run_id: str, encodings: Sequence[Encoding]) -> HttpResponseBase:
    try:
        return await _answer(request, run_id, encodings)
    except RunsError as exc:
        return error_response(exc)


async def _answer(request: HttpRequest, run_id: str, encodings: Sequence[Encoding]) -> HttpResponseBase:
    if request.method not in ("GET", "HEAD"):
        raise MethodNotAllowed(str(request.method))
    viewer = Viewer.of_request(request)
    await _in_thread(viewer.user)
    encoding = choose_encoding(request.headers.get("Accept", ""), encodings)
    if encoding is None:
        raise NotAcceptable([known.media_type for known in encodings])
    run = parse_run_id(run_id)
    head = await _in_thread(viewer.head, run)
    after = _cursor(request, head)
    if encoding is JSON_PAGE:
        return await _page(request, run, head, after)
    if isinstance(encoding, SseEncoding) and _was_read_to_its_end(request, head, after):
        # 204 is how a server tells an EventSource not to come back.
        return HttpResponse(status=204)
    if request.method == "HEAD":
        return _with_stream_headers(HttpResponse(content_type=encoding.media_type))
    return _stream(viewer, run, after, encoding)


async def _in_thread(function: Any, *args: Any) -> Any:
    return await database_sync_to_async(function, thread_sensitive=False)(*args)


def _cursor(request: HttpRequest, head: Head) -> int:
    """Raises InvalidCursor, also for a number that the log has not reached: nobody can have read it."""
    last_id, after = request.headers.get("Last-Event-ID"), request.GET.get("after")
    where, text = ("Last-Event-ID", last_id) if last_id else ("after", after)
    if text is None:
        return 0
    cursor = parse_cursor(where, text)
    if cursor > head.last_sequence:
        raise InvalidCursor(where, text)
    return cursor


def _was_read_to_its_end(request: HttpRequest, head: Head, after: int) -> bool:
    return bool(request.headers.get("Last-Event-ID")) and head.ended and after == head.last_sequence


async def _page(request: HttpRequest, run_id: UUID, head: Head, after: int) -> JsonResponse:
    """Raises HistoryPruned for a cursor before the retained window."""
    limit = _limit(request)
    held = Held.parse(request.GET.getlist("stream"))
    if after + 1 < head.first_sequence:
        raise HistoryPruned(run_id, head.first_sequence)
    found = await _in_thread(read_events, run_id, after, limit)
    last = found[-1].sequence if found else after
    start = max(head.first_sequence - 1, after - limit)
    body: dict[str, Any] = {
        "results": [event.as_envelope() for event in found],
        "next": _link(request, last, limit) if last < head.last_sequence else None,
        "previous": _link(request, start, limit) if start < after else None,
    }
    if held:
        # Frames follow the events that were written before them.
        is_there = last >= head.last_sequence and not head.ended
        seen = await glance(run_id, head, held) if is_there else Glance([], more=False)
        body |= {"frames": [frame.as_envelope() for frame in seen.frames], "more_frames": seen.more}
    response = JsonResponse(body)
    response["Cache-Control"] = "no-store"
    return response


def _limit(request: HttpRequest) -> int:
    text = request.GET.get("limit", str(DEFAULT_LIMIT))
    if not (text.isascii() and text.isdigit() and len(text) <= 9 and 1 <= int(text) <= MAX_LIMIT):
        raise InvalidLimit(text, MAX_LIMIT)
    return int(text)


def _link(request: HttpRequest, after: int, limit: int) -> str:
    return request.build_absolute_uri(f"{request.path}?{urlencode({'after': after, 'limit': limit})}")


def _stream(viewer: Viewer, run_id: UUID, after: int, encoding: Encoding) -> StreamingHttpResponse:
    body = _encoded(viewer, run_id, after, encoding)
    return _with_stream_headers(StreamingHttpResponse(body, content_type=encoding.media_type))


def _with_stream_headers(response: R) -> R:
    response["Cache-Control"] = "no-store, no-transform"
    # Compression gathers output, and Django 5.2 compresses each chunk alone; proxies must not gather either.
    response["Content-Encoding"] = "identity"
    response["X-Accel-Buffering"] = "no"
    return response


async def _encoded(viewer: Viewer, run_id: UUID, after: int, encoding: Encoding) -> AsyncIterator[bytes]:
    if encoding.preamble:
        yield encoding.preamble
    followed = follow_gathered(viewer, run_id, after, get_settings().heartbeat_seconds)
    try:
        async for batch in followed:
            for chunk in in_chunks(map(encoding.encode, batch), CHUNK_BYTES) if batch else [encoding.beat]:
                if chunk:  # an encoding without a beat
                    yield chunk
    except RunsError:
        return  # the run was deleted between the first look and now; the status is sent already
    finally:
        await followed.aclose()
