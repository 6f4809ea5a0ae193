"""List feeds: a snapshot, then the current row of each thing in the list that changed.

There is no commit order across runs, so there is no cursor: rows that changed lately are sent again every few seconds,
and a client keeps the row that came last.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import DatabaseError

from runs import clock
from runs.live.access import Viewer
from runs.live.watcher import Watcher, get_watcher

logger = logging.getLogger(__name__)

Row = dict[str, Any]
AGAIN_SECONDS = 5.0
RECENT_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Listing:
    """What a viewer's list holds now. `facts` are of the whole list; their changes are told as `facts_type`."""

    rows: list[Row]
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Source:
    """A list: `fetch` reads it, `fetch_existing` says which ids are still in it although no longer among its rows.

    `idle_seconds` is the longest time without a look while nobody rings.
    """

    one: str
    many: str
    fetch: Callable[[Viewer], Listing]
    fetch_existing: Callable[[Viewer, list[str]], set[str]]
    facts_type: str = ""
    pause_seconds: float = 0.25
    idle_seconds: float = 1.0


async def follow_list(viewer: Viewer, source: Source) -> AsyncIterator[dict[str, Any]]:
    """Messages `snapshot`, `<one>`, `delete` and `<facts_type>`, without end. Raises NotSignedIn or TokenRefused when
    that comes true."""
    watcher, rung = get_watcher(), asyncio.Event()
    watcher.add_ear(rung.set, every_second=False)
    try:
        feed = _Feed(watcher, viewer, source)
        yield await feed.begin()
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(source.idle_seconds):
                    await rung.wait()
            rung.clear()
            for message in await feed.news():
                yield message
            await asyncio.sleep(source.pause_seconds)
    finally:
        watcher.remove_ear(rung.set)


class _Feed:
    """What one client was told."""

    def __init__(self, watcher: Watcher, viewer: Viewer, source: Source) -> None:
        self._watcher = watcher
        self._viewer = viewer
        self._source = source
        self._facts: dict[str, Any] = {}
        self._told: dict[str, Row] = {}
        self._changed_at: dict[str, float] = {}
        self._again_at = clock.monotonic() + AGAIN_SECONDS

    async def begin(self) -> dict[str, Any]:
        listing = await self._watcher.read(self._source.fetch, self._viewer)
        self._told = {row["id"]: row for row in listing.rows}
        self._facts = listing.facts
        return {"type": "snapshot", **listing.facts, self._source.many: listing.rows}

    async def news(self) -> list[dict[str, Any]]:
        try:
            listing = await self._watcher.read(self._source.fetch, self._viewer)
            changed = [row for row in listing.rows if self._told.get(row["id"]) != row]
            deleted = await self._forget({row["id"] for row in listing.rows})
        except DatabaseError as exc:
            logger.warning("The list of %s could not be read (%s); trying again.", self._source.many, exc)
            return []
        for row in changed:
            self._told[row["id"]] = row
            self._changed_at[row["id"]] = clock.monotonic()
        return [
            *({"type": "delete", "id": name} for name in deleted),
            *({"type": self._source.one, self._source.one: row} for row in (*changed, *self._again(changed))),
            *self._new_facts(listing.facts),
        ]

    def _new_facts(self, facts: dict[str, Any]) -> list[dict[str, Any]]:
        if facts == self._facts:
            return []
        self._facts = facts
        return [{"type": self._source.facts_type, **facts}]

    async def _forget(self, present: set[str]) -> list[str]:
        """Rows that left the window; those that nobody can see any more are told as deleted."""
        missing = self._told.keys() - present
        if not missing:
            return []
        existing = await self._watcher.read(self._source.fetch_existing, self._viewer, sorted(missing))
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


def as_json(row: Row) -> Row:
    """Times as RFC 3339, the id as text."""
    return {name: _plain(value) for name, value in row.items()} | {"id": str(row["id"])}


def _plain(value: Any) -> Any:
    return value.isoformat().replace("+00:00", "Z") if isinstance(value, datetime) else value
