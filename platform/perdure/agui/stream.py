"""Protocol runs as streams of events: the one reader of a run's log, fed through the adapter, until the terminal event.

A stream never ends without a terminal event, whatever goes wrong: clients take such an end for success. Only a
connection that is cut has none, and its client comes back with the id of the last event that it read.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Sequence
from functools import partial

from ag_ui.core import Interrupt, RunErrorEvent
from django.http import StreamingHttpResponse

from perdure.agui.encoding import Told, stream_response
from perdure.agui.errors import AguiError, status_and_code
from perdure.agui.interrupts import load_interrupts
from perdure.agui.models import ProtocolRun
from perdure.agui.passages import Passage, Place, read_passages
from perdure.agui.stored import tell_stored
from perdure.agui.telling import Teller, merge_deltas
from runs import clock
from runs.errors import RunNotFound, RunsError
from runs.events.types import RunEvent
from runs.live.access import Viewer
from runs.live.follow import follow_gathered
from runs.live.watcher import get_watcher

logger = logging.getLogger(__name__)

KEEP_ALIVE_SECONDS = 15.0
_LOOK_SECONDS = 5.0
"""How long the log may be silent before somebody looks at the clock: events that tell a client nothing are silence."""

_AT_ONCE = 500
"""Who joins late gets all frames of an answer at a moment: tens of thousands would hold up every other stream."""

Batches = AsyncGenerator[list[Told], None]


async def sse_response(
    viewer: Viewer,
    protocol_runs: Sequence[ProtocolRun],
    *,
    last_event_id: str | None = None,
    joins: bool = False,
    snapshots: bool = False,
    compat: bool = False,
) -> StreamingHttpResponse:
    """`open_stream` as server-sent events; with `compat` in the shape of jobworkerp's frontend."""
    batches = await open_stream(viewer, protocol_runs, last_event_id=last_event_id, joins=joins, snapshots=snapshots)
    return stream_response(batches, older=compat)


async def open_stream(
    viewer: Viewer,
    protocol_runs: Sequence[ProtocolRun],
    *,
    last_event_id: str | None = None,
    joins: bool = False,
    snapshots: bool = False,
) -> Batches:
    """All events of these protocol runs (of one thread, in order), in lists of what can be sent at a moment.

    An empty list is a sign of life. With `last_event_id`, exactly what follows that event; if that is nothing, the
    terminal event once more, without an id. Who `joins` was not there when it began, and is told what was said
    before; `snapshots` begins with all that was said. The caller has checked that the viewer may see the thread.
    Raises AguiError before there is anything to send.
    """
    place = Place.parse(last_event_id) if last_event_id else None
    read = partial(read_passages, protocol_runs, place=place, joins=joins, snapshots=snapshots)
    return tell(viewer, await get_watcher().read(read), place)


async def tell(viewer: Viewer, passages: list[Passage], place: Place | None = None) -> Batches:
    """See `open_stream`."""
    said_anything = False
    for index, passage in enumerate(passages):
        told = _tell_one(viewer, passage, place if index == 0 else None)
        failed = False
        try:
            async for batch in told:
                yield batch
                said_anything = said_anything or bool(batch)
                failed = bool(batch) and isinstance(batch[-1].event, RunErrorEvent) and not batch[-1].id
        finally:
            await told.aclose()
        if failed:
            return
    if not said_anything and passages:
        yield await _last_event(viewer, passages[-1])


async def _last_event(viewer: Viewer, passage: Passage) -> list[Told]:
    """For who has it already: a connection can break between an event and the end of its body, and some clients then
    take a body without a terminal event for a run that was lost."""
    last: list[Told] = []
    told = _tell_one(viewer, passage, None)
    try:
        async for batch in told:
            last = batch or last
    finally:
        await told.aclose()
    return [one._replace(id="") for one in last[-1:]]


async def _tell_one(viewer: Viewer, passage: Passage, place: Place | None) -> Batches:
    if passage.run_id is None:
        yield tell_stored(passage)
        return
    teller = Teller(passage, place)
    followed = follow_gathered(viewer, passage.run_id, 0, _LOOK_SECONDS)
    try:
        async for batch in _from_log(teller, followed):
            yield batch
        if not teller.is_over:
            yield teller.fail(*await _why_it_ended(viewer, passage))
    except (AguiError, RunsError) as exc:
        yield teller.fail(*_told_error(exc))
    except Exception:
        logger.exception("The stream of run %s failed.", passage.run_id)
        yield teller.break_off("INTERNAL_ERROR", _OURS)
    finally:
        await followed.aclose()


async def _from_log(teller: Teller, followed: AsyncGenerator[list[RunEvent], None]) -> Batches:
    sent_at = clock.monotonic()
    if told := teller.begin():
        yield told
    async for events in followed:
        told = []
        for number, event in enumerate(events, start=1):
            told += teller.feed(event, await _load(teller, event))
            told += teller.begin()
            if teller.is_over:
                break
            if number % _AT_ONCE == 0:
                await asyncio.sleep(0)
        if told:
            yield merge_deltas(told)
            sent_at = clock.monotonic()
        elif clock.monotonic() - sent_at >= KEEP_ALIVE_SECONDS:
            yield []
            sent_at = clock.monotonic()
        if teller.is_over:
            return


async def _load(teller: Teller, event: RunEvent) -> list[Interrupt]:
    asked = teller.asks(event)
    return await get_watcher().read(load_interrupts, asked) if asked else []


_OURS = "The server failed at this stream; its log says why. Connect again to go on where it stopped."


async def _why_it_ended(viewer: Viewer, passage: Passage) -> tuple[str, str]:
    """The log ended, and the protocol run did not: whoever follows was stopped, or the run is gone."""
    assert passage.run_id is not None
    try:
        await get_watcher().read(viewer.head, passage.run_id)
    except RunsError as exc:
        return _told_error(exc)
    return "INTERNAL_ERROR", _OURS


def _told_error(exc: AguiError | RunsError) -> tuple[str, str]:
    if isinstance(exc, RunNotFound):
        return "RUN_NOT_FOUND", "The run was deleted, or is no longer yours to see. Begin a new one."
    return status_and_code(exc)[1], str(exc)
