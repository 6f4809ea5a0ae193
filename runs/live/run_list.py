"""The list feed: a snapshot, then the current row of each run that changed.

There is no commit order across runs, so there is no cursor: a client keeps, per run, the row with the highest
`last_sequence`, and rows that changed lately are sent again every few seconds.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

from django.db import DatabaseError
from django.db.models import Q, QuerySet

from runs import clock
from runs.jobs import visible_runs
from runs.live.access import Viewer
from runs.live.watcher import Watcher, get_watcher
from runs.models import ENDED, Run

logger = logging.getLogger(__name__)

Row = dict[str, Any]
NEWEST = 100
ACTIVE = 400
PAUSE_SECONDS = 0.25
AGAIN_SECONDS = 5.0
RECENT_SECONDS = 30.0
_FIELDS = (
    "id", "job", "job_version", "status", "reason", "progress", "labels", "priority", "attempt", "last_sequence",
    "owner__username", "team__name", "created_at", "started_at", "finished_at",
)  # fmt: skip


async def follow_list(viewer: Viewer) -> AsyncIterator[dict[str, Any]]:
    """Messages `snapshot`, `run` and `delete`, without end. Raises NotSignedIn or TokenRefused when that comes true."""
    watcher, rung = get_watcher(), asyncio.Event()
    watcher.add_ear(rung.set)
    try:
        feed = _Feed(watcher, viewer)
        yield {"type": "snapshot", "runs": await feed.begin()}
        while True:
            await rung.wait()
            rung.clear()
            for message in await feed.news():
                yield message
            await asyncio.sleep(PAUSE_SECONDS)
    finally:
        watcher.remove_ear(rung.set)


class _Feed:
    """What one client was told."""

    def __init__(self, watcher: Watcher, viewer: Viewer) -> None:
        self._watcher = watcher
        self._viewer = viewer
        self._told: dict[str, Row] = {}
        self._changed_at: dict[str, float] = {}
        self._again_at = clock.monotonic() + AGAIN_SECONDS

    async def begin(self) -> list[Row]:
        rows = await self._watcher.read(fetch_rows, self._viewer)
        self._told = {row["id"]: row for row in rows}
        return rows

    async def news(self) -> list[dict[str, Any]]:
        try:
            rows = await self._watcher.read(fetch_rows, self._viewer)
            changed = [row for row in rows if self._told.get(row["id"]) != row]
            deleted = await self._forget({row["id"] for row in rows})
        except DatabaseError as exc:
            logger.warning("The list of runs could not be read (%s); trying again.", exc)
            return []
        for row in changed:
            self._told[row["id"]] = row
            self._changed_at[row["id"]] = clock.monotonic()
        return [{"type": "delete", "id": name} for name in deleted] + [
            {"type": "run", "run": row} for row in (*changed, *self._again(changed))
        ]

    async def _forget(self, present: set[str]) -> list[str]:
        """Rows that left the window; those that nobody can see any more are told as deleted."""
        missing = self._told.keys() - present
        if not missing:
            return []
        existing = await self._watcher.read(fetch_existing, self._viewer, sorted(missing))
        for name in missing:
            self._told.pop(name)
            self._changed_at.pop(name, None)
        return sorted(missing - existing)

    def _again(self, changed: list[Row]) -> list[Row]:
        now = clock.monotonic()
        if now < self._again_at:
            return []
        self._again_at = now + AGAIN_SECONDS
        self._changed_at = {name: at for name, at in self._changed_at.items() if at > now - RECENT_SECONDS}
        fresh = {row["id"] for row in changed}
        return [self._told[name] for name in self._changed_at if name not in fresh]


def fetch_rows(viewer: Viewer) -> list[Row]:
    """The newest runs that the viewer may see, and all that work, wait, or ended lately; newest first."""
    visible = visible_runs(viewer.user())
    lately = clock.now() - timedelta(seconds=RECENT_SECONDS)
    moving = visible.filter(~Q(status__in=ENDED) | Q(finished_at__gte=lately))
    rows = {row["id"]: row for row in (*_rows(visible, NEWEST), *_rows(moving, ACTIVE))}
    return sorted(rows.values(), key=lambda row: str(row["id"]), reverse=True)


def fetch_existing(viewer: Viewer, ids: list[str]) -> set[str]:
    return {str(found) for found in visible_runs(viewer.user()).filter(id__in=ids).values_list("id", flat=True)}


def _rows(runs: QuerySet[Run], limit: int) -> list[Row]:
    return [_as_json(row) for row in runs.order_by("-id").values(*_FIELDS)[:limit]]


def _as_json(row: Row) -> Row:
    row["owner"], row["team"] = row.pop("owner__username"), row.pop("team__name")
    row["id"] = str(row["id"])
    for name, value in row.items():
        if isinstance(value, datetime):
            row[name] = value.isoformat().replace("+00:00", "Z")
    return row
