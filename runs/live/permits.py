"""May they still watch? Asked again every few seconds, once for all connections that brought the same credentials."""

import asyncio
import logging
from collections import defaultdict
from typing import Protocol
from uuid import UUID
from weakref import WeakKeyDictionary

from runs.errors import RunsError
from runs.live.access import Viewer
from runs.live.watcher import get_watcher

logger = logging.getLogger(__name__)

RECHECK_SECONDS = 3.0


class Stoppable(Protocol):
    def stop(self) -> None:
        """Send nothing more."""


class Permits:
    """All open streams of this loop, by who watches and what; looked at while there are any."""

    def __init__(self) -> None:
        self._open: dict[Viewer, defaultdict[UUID, set[Stoppable]]] = {}
        self._task: asyncio.Task[None] | None = None

    def add(self, viewer: Viewer, run_id: UUID, stream: Stoppable) -> None:
        """`stream.stop()` will be called once the viewer may not see the run any more."""
        self._open.setdefault(viewer, defaultdict(set))[run_id].add(stream)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._look_again(), name="live-permits")

    def remove(self, viewer: Viewer, run_id: UUID, stream: Stoppable) -> None:
        runs = self._open.get(viewer)
        if runs is None:
            return
        runs[run_id].discard(stream)
        if not runs[run_id]:
            del runs[run_id]
        if not runs:
            del self._open[viewer]

    async def _look_again(self) -> None:
        while self._open:
            await asyncio.sleep(RECHECK_SECONDS)
            for viewer in list(self._open):
                await self._check(viewer)

    async def _check(self, viewer: Viewer) -> None:
        asked = list(self._open.get(viewer, ()))
        if not asked:
            return
        allowed = await self._allowed(viewer, asked)
        for run_id in set(asked) - allowed:
            for stream in self._streams(viewer, run_id):
                stream.stop()

    def _streams(self, viewer: Viewer, run_id: UUID) -> list[Stoppable]:
        """Those that are open now; who left meanwhile is not made an entry by the question."""
        runs = self._open.get(viewer)
        return list(runs[run_id]) if runs is not None and run_id in runs else []

    async def _allowed(self, viewer: Viewer, asked: list[UUID]) -> set[UUID]:
        """Nothing, where nobody can tell: who sees no proof of a right does not send."""
        try:
            return await get_watcher().read(viewer.visible, asked)
        except RunsError:
            return set()
        except Exception:
            logger.exception("Whether viewers may still watch could not be read; their streams end.")
            return set()


_permits: WeakKeyDictionary[asyncio.AbstractEventLoop, Permits] = WeakKeyDictionary()


def get_permits() -> Permits:
    """Those of the running loop."""
    return _permits.setdefault(asyncio.get_running_loop(), Permits())
