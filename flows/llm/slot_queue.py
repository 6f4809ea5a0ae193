"""The calls of one profile in one event loop that hold a slot or wait for one."""

import asyncio
import contextvars
import logging
from concurrent.futures import ThreadPoolExecutor
from typing import Final
from uuid import UUID

from django.db import DatabaseError, InterfaceError, connections

from flows.llm.conf import get_settings
from flows.llm.errors import ProfileNotFound, SlotLost
from flows.llm.slot_rows import Ask, Look, give_back, take_turn

log = logging.getLogger(__name__)

HELD_LOOK_SECONDS: Final = 1.0
AFTER_ERROR_SECONDS: Final = 1.0
LINGER_SECONDS: Final = 2.0
"""How long a queue without calls keeps its thread and its connection, which cost milliseconds to make."""


class Place:
    """One call's place. `granted` is done when it has a slot, `lost` when it has none any more."""

    def __init__(self, ask: Ask) -> None:
        loop = asyncio.get_running_loop()
        self.ask = ask
        self.granted: asyncio.Future[None] = loop.create_future()
        self.lost: asyncio.Future[None] = loop.create_future()

    def fail(self, error: Exception) -> None:
        """Ends the waiting with `error`."""
        if not self.granted.done():
            self.granted.set_exception(error)
            self.granted.exception()  # it may have left already: nobody has to hear of it

    def lose(self, profile_id: str) -> None:
        if not self.granted.done():
            self.fail(SlotLost(profile_id))
        elif not self.lost.done():
            self.lost.set_result(None)


class SlotQueue:
    """One task asks the database for all calls at once, and hands a slot that one gives back to the next in line."""

    def __init__(self, profile_id: str) -> None:
        self._profile_id = profile_id
        self._places: dict[UUID, Place] = {}
        self._new: list[Ask] = []
        self._leaving: list[UUID] = []
        self._changed = asyncio.Event()
        self._asking: asyncio.Task[None] | None = None

    def enter(self, ask: Ask) -> Place:
        place = self._places[ask.ticket] = Place(ask)
        self._new.append(ask)
        self._wake()
        return place

    def leave(self, place: Place) -> None:
        del self._places[place.ask.ticket]
        place.granted.cancel()
        if place.ask in self._new:
            self._new.remove(place.ask)
        else:
            self._leaving.append(place.ask.ticket)
            self._wake()

    def _wake(self) -> None:
        self._changed.set()
        if self._asking is None:
            # in no context: it belongs to no step, and outlives the one that began it
            loop, context = asyncio.get_running_loop(), contextvars.Context()
            self._asking = loop.create_task(self._ask_in_turn(), name="llm-slots", context=context)

    @property
    def _is_needed(self) -> bool:
        return bool(self._places or self._leaving)

    async def _ask_in_turn(self) -> None:
        with ThreadPoolExecutor(1, thread_name_prefix="llm-slots") as thread:
            try:
                # looked at again after the wait: somebody may have come in the very moment that it ended
                while self._is_needed or await self._changes_within(LINGER_SECONDS) or self._is_needed:
                    await self._turn(thread)
            finally:
                self._asking = None
                await self._close(thread)

    async def _turn(self, thread: ThreadPoolExecutor) -> None:
        self._changed.clear()
        asks, self._new = self._new, []
        leaving, self._leaving = self._leaving, []
        ours = list(self._places)
        loop = asyncio.get_running_loop()
        try:
            found = await loop.run_in_executor(thread, _take_turn, self._profile_id, asks, leaving, ours)
        except (DatabaseError, InterfaceError) as exc:
            log.warning("Slots of provider profile %r are asked for again: %s", self._profile_id, exc)
            # Perhaps it was written: a ticket has one row at most. Who left meanwhile must not get one.
            self._new = [ask for ask in asks if ask.ticket in self._places] + self._new
            self._leaving = leaving + self._leaving
            await asyncio.sleep(AFTER_ERROR_SECONDS)
        except ProfileNotFound as exc:
            for place in self._known(ours):
                place.fail(exc)
            await self._changes_within(HELD_LOOK_SECONDS)
        else:
            await self._changes_within(self._tell(found, ours))

    def _tell(self, found: Look, asked: list[UUID]) -> float:
        """Seconds until the next look is due, if nothing changes here."""
        for place in self._known(asked):
            if place.ask.ticket not in found.live:
                place.lose(self._profile_id)
            elif place.ask.ticket in found.granted and not place.granted.done():
                place.granted.set_result(None)
        waits = any(not place.granted.done() for place in self._places.values())
        return get_settings().slot_look_seconds if waits else HELD_LOOK_SECONDS if self._places else 0

    def _known(self, tickets: list[UUID]) -> list[Place]:
        """Those that have not left while the database was asked."""
        return [self._places[ticket] for ticket in tickets if ticket in self._places]

    async def _changes_within(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                await self._changed.wait()
        except TimeoutError:
            return False
        return True

    async def _close(self, thread: ThreadPoolExecutor) -> None:
        """Also when the loop ends: nothing of ours stays in the way of others, and no connection open."""
        leaving = [*self._leaving, *self._places]
        self._leaving, self._new = [], []
        for place in self._places.values():
            place.fail(SlotLost(self._profile_id))
        await asyncio.get_running_loop().run_in_executor(thread, _leave_and_disconnect, self._profile_id, leaving)


def _take_turn(profile_id: str, asks: list[Ask], leaving: list[UUID], ours: list[UUID]) -> Look:
    try:
        return take_turn(profile_id, asks, leaving, ours)
    except (DatabaseError, InterfaceError):
        connections.close_all()
        raise


def _leave_and_disconnect(profile_id: str, leaving: list[UUID]) -> None:
    try:
        if leaving:
            give_back(leaving)
    except (DatabaseError, InterfaceError) as exc:
        log.warning("Slots of provider profile %r stay until their worker's lease ends: %s", profile_id, exc)
    finally:
        connections.close_all()
