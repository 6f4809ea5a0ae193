"""The stream of a job: the log of its run, followed by the one reader and folded into lines."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from uuid import UUID

from django.http import StreamingHttpResponse

from flows.pipelines.lines import Line, Lines
from flows.pipelines.live.errors import OutsideWindow
from flows.pipelines.shown import as_queued, find_definition
from runs.conf import get_settings
from runs.errors import RunsError
from runs.events.log import read_events
from runs.events.types import LiveType
from runs.live.access import Viewer
from runs.live.follow import follow_gathered
from runs.models import Run

MEDIA_TYPE = "application/x-ndjson"
_PAGE = 500


@dataclass
class Position:
    """Where a reader of a run goes on: the fold up to there, and the lines after it that are there already."""

    run_id: UUID
    lines: Lines
    after_seq: int
    pending: list[Line] = field(default_factory=list)
    is_over: bool = False
    """The reader has had the last line."""


def find(run: Run, after_seq: int) -> Position:
    """After the line of that number. Raises OutsideWindow."""
    if run.first_sequence > 1:
        # The numbers of lines are counted from the first event on.
        raise OutsideWindow(after_seq, None, None)
    position = Position(run.id, Lines(as_queued(run), find_definition(run)), after_seq)
    return _read_up_to(position) if after_seq else position


def _read_up_to(position: Position) -> Position:
    lines, after = position.lines, position.after_seq
    while events := read_events(position.run_id, lines.sequence, _PAGE):
        beyond = lines.skip(events, after)
        if beyond is not None:
            position.pending = beyond
            return position
    position.is_over = lines.has_ended and after == lines.seq + 1
    if not position.is_over:
        last = lines.seq + 1 if lines.has_ended else lines.seq
        raise OutsideWindow(after, 1 if last else None, last)
    return position


def respond(viewer: Viewer, position: Position) -> StreamingHttpResponse:
    """200 with all lines from a position on, until the last one."""
    response = StreamingHttpResponse(_encoded(viewer, position), content_type=MEDIA_TYPE)
    response["Cache-Control"] = "no-store, no-transform"
    # Neither compression nor a proxy may gather what is meant to be seen at once.
    response["Content-Encoding"] = "identity"
    response["X-Accel-Buffering"] = "no"
    return response


async def _encoded(viewer: Viewer, position: Position) -> AsyncIterator[bytes]:
    lines = position.lines
    if position.is_over:
        return
    for line in position.pending:
        yield line.encode()
    followed = follow_gathered(viewer, position.run_id, lines.sequence, get_settings().heartbeat_seconds)
    try:
        async for batch in followed:
            for event in batch:
                if event.type == LiveType.GAP:
                    return  # cleaned up meanwhile: who comes back is told so
                if told := b"".join(line.encode() for line in lines.take(event)):
                    yield told
    except RunsError:
        return  # the run was deleted between the first look and now; the status is sent already
    finally:
        await followed.aclose()
    if lines.has_ended:  # else the reader may no longer watch
        yield lines.finish().encode()
