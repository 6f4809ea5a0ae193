"""What a page that is loaded anew is told of a thread: what was said, what goes on, what people are asked."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from ag_ui.core import Interrupt, Message, RunFinishedEvent, RunFinishedInterruptOutcome, RunFinishedSuccessOutcome

from perdure.agui.adapter import Adapter, Opening
from perdure.agui.compat import OlderShape
from perdure.agui.encoding import Told
from perdure.agui.errors import InvalidInput
from perdure.agui.interrupts import load_interrupts
from perdure.agui.message_parts import Json, as_parts
from perdure.agui.models import ProtocolRun, Thread
from perdure.agui.off_loop import in_thread
from perdure.agui.passages import is_told_by_events, read_passages
from perdure.agui.stream import Batches, open_stream
from perdure.agui.telling import Teller
from perdure.agui.threads import get_thread
from perdure.agui.transcript import history
from perdure.agui.turns import current_protocol_run
from runs.events.log import read_events
from runs.events.types import RunEvent
from runs.live.access import Viewer

MOST_MESSAGES = 1000


@dataclass(frozen=True)
class ThreadNow:
    """How a thread stands. `messages` are all that are finished; `before` those from before the run `active` began,
    which a client that joins it is told by its stream. A run that waits for people is `interrupted` instead."""

    messages: list[Message]
    before: list[Message]
    state: Any
    active: ProtocolRun | None = None
    interrupted: ProtocolRun | None = None
    interrupts: list[Interrupt] = field(default_factory=list)


def read_thread(thread: Thread) -> ThreadNow:
    run = current_protocol_run(thread)
    if run is None or run.turn.run_id is None or not is_told_by_events(run.turn):
        said = history(thread)  # which settles what has ended, and the thread's state with it
        return ThreadNow(said, said, Thread.objects.values_list("state", flat=True).get(pk=thread.pk))
    return _read_turn(run, run.turn.run_id)


def _read_turn(run: ProtocolRun, log: UUID) -> ThreadNow:
    (passage,) = read_passages([run], snapshots=True)
    teller = Teller(passage)
    before, told = passage.history, teller.begin()
    for event in _log(log):
        told = teller.feed(event, load_interrupts(teller.asks(event))) or told[-1:]
        if begun := teller.begin():
            before, told = teller.messages, begun
    end = told[-1].event if told else None
    if isinstance(end, RunFinishedEvent) and isinstance(end.outcome, RunFinishedInterruptOutcome):
        said = teller.messages
        return ThreadNow(said, said, teller.state, interrupted=run, interrupts=end.outcome.interrupts)
    return ThreadNow(teller.messages, before, teller.state, active=run)


def _log(run_id: UUID) -> Iterator[RunEvent]:
    after = 0
    while events := read_events(run_id, after):
        yield from events
        after = events[-1].sequence or after


# As TanStack AI's client reads it -------------------------------------------------------------------------------------


def hydrate(user: Any, thread_id: str, limit: int | None = None, before: str | None = None) -> Json:
    """`{messages, activeRun, interrupts, page}`: the last `limit` messages, of those before the message `before`.

    Raises ThreadNotFound and InvalidInput.
    """
    now = read_thread(get_thread(user, thread_id))
    window, page = _window(as_parts(now.before), limit, before)
    pending = [one.model_dump(mode="json", by_alias=True) for one in now.interrupts]
    return {
        "messages": window,
        "activeRun": {"runId": now.active.run_id} if now.active else None,
        "interrupts": {"runId": now.interrupted.run_id, "pending": pending} if now.interrupted else None,
        "page": page,
    }


def parse_limit(text: str | None) -> int | None:
    """Raises InvalidInput."""
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 9 and 1 <= int(text) <= MOST_MESSAGES):
        raise InvalidInput.of("limit", f"is not a number from 1 to {MOST_MESSAGES}")
    return int(text)


def _window(messages: list[Json], limit: int | None, before: str | None) -> tuple[list[Json], Json]:
    if before is not None:
        ids = [message["id"] for message in messages]
        if before not in ids:
            raise InvalidInput.of("before", "is not the id of a message of this thread")
        messages = messages[: ids.index(before)]
    if limit is None or len(messages) <= limit:
        return messages, {"truncated": False}
    window = messages[-limit:]
    return window, {"truncated": True, "cursor": window[0]["id"]}


# As a stream, for clients that send their thread and no message -------------------------------------------------------


async def open_hydration(viewer: Viewer, user: Any, thread_id: str, run_id: str, protocol_version: str) -> Batches:
    """State and messages of a thread under the client's own run id; one under way, or that waits, is told as it is.

    Raises ThreadNotFound.
    """
    thread = await in_thread(get_thread, user, thread_id)
    run = await in_thread(current_protocol_run, thread)
    if run is not None:
        run.protocol_version = protocol_version
        return await open_stream(viewer, [run], snapshots=True)
    opening = Opening(thread.thread_id, run_id, protocol_version=protocol_version, snapshots=True)
    return _tell_idle(await in_thread(read_thread, thread), thread, opening)


async def _tell_idle(now: ThreadNow, thread: Thread, opening: Opening) -> Batches:
    begun = Adapter(thread.pk, now.messages, now.state).begin(opening)
    end = RunFinishedEvent(thread_id=opening.thread_id, run_id=opening.run_id, outcome=RunFinishedSuccessOutcome())
    older = OlderShape(opening.run_id, thread.agent, lambda: now.messages)
    yield [Told("", event, older) for event in (*begun, end)]
