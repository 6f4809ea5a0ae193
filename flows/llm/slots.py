"""At most so many calls of a profile at once, over all worker processes and hosts, in the order in which they asked."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID
from weakref import WeakKeyDictionary

from uuid_utils.compat import uuid7

from flows.llm.errors import SlotLost
from flows.llm.slot_queue import Place, SlotQueue
from flows.llm.slot_rows import Ask

_queues: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, SlotQueue]] = WeakKeyDictionary()


@asynccontextmanager
async def hold_slot(profile_id: str, run_id: UUID, step: str) -> AsyncIterator[None]:
    """Inside, this call is one of the profile's `limits.concurrency`; waits for its turn before.

    For step functions: a slot lives as long as the lease of the worker that drives the run. Raises ProfileNotFound,
    and SlotLost where that lease ran out.
    """
    queue = _queue_of(profile_id)
    place = queue.enter(Ask(uuid7(), run_id, step))
    try:
        await place.granted
        async with _until_lost(place, profile_id):
            yield
    finally:
        queue.leave(place)


def _queue_of(profile_id: str) -> SlotQueue:
    of_loop = _queues.setdefault(asyncio.get_running_loop(), {})
    if profile_id not in of_loop:
        of_loop[profile_id] = SlotQueue(profile_id)
    return of_loop[profile_id]


@asynccontextmanager
async def _until_lost(place: Place, profile_id: str) -> AsyncIterator[None]:
    """Ends what is inside with SlotLost when the place is gone: another call may have it by now."""
    task = asyncio.current_task()
    assert task is not None
    before = task.cancelling()

    def end(_: object) -> None:
        task.cancel()

    place.lost.add_done_callback(end)
    try:
        yield
    except asyncio.CancelledError:
        if place.lost.done() and task.uncancel() <= before:
            raise SlotLost(profile_id) from None
        raise
    finally:
        place.lost.remove_done_callback(end)
