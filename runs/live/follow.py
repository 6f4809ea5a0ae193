"""The one reader of a run. Every transport encodes what `follow` yields, or `follow_gathered` in batches.

async for event in subscribe(run_id): ...
"""

from collections.abc import AsyncGenerator, AsyncIterator
from uuid import UUID

from runs.events.types import RunEvent
from runs.live.access import Viewer
from runs.live.follower import Follower
from runs.live.permits import get_permits
from runs.live.watcher import get_watcher


async def follow(run_id: UUID, after: int = 0) -> AsyncIterator[RunEvent]:
    """Every event with `sequence > after`, once and in order, with stream frames between; ends with the run.

    A `gap` event stands for what is pruned. Raises RunNotFound; ends early when the run is deleted.
    """
    follower = Follower(get_watcher(), run_id, after)
    try:
        async for batch in follower.batches(None):
            for event in batch:
                yield event
    finally:
        await follower.leave()


def subscribe(run_id: UUID, after: int = 0) -> AsyncIterator[RunEvent]:
    """Follow a run from Python: the public name of `follow`."""
    return follow(run_id, after)


async def follow_gathered(
    viewer: Viewer, run_id: UUID, after: int = 0, beat_seconds: float | None = None
) -> AsyncGenerator[list[RunEvent], None]:
    """What `follow` yields, in lists of all that can be sent at a moment; ends early once the viewer may not watch.

    An empty list stands for `beat_seconds` without an event.
    """
    follower = Follower(get_watcher(), run_id, after)
    permits = get_permits()
    permits.add(viewer, run_id, follower)
    try:
        async for batch in follower.batches(beat_seconds):
            yield batch
    finally:
        permits.remove(viewer, run_id, follower)
        await follower.leave()
