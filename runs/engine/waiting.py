"""The durable waits of a loaded run. When nothing else is left of it, it is unloaded, and replayed on wake."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from runs import clock
from runs.conf import get_settings
from runs.engine import ends
from runs.engine.branches import OwnTimers
from runs.engine.mailbox import Mailbox
from runs.engine.ports import OpenStep
from runs.engine.store.transitions import Result, Transition

_BOUNDARY = "the step boundary"

QUIET_TURNS = 20
"""Turns of the loop without a call of the job's code before it leaves. After a stall the timer can be up while a task
that got its result has yet to run, and then the one that it cancels."""

OWN_TIMER_SECONDS = 60.0
"""A timer that the job's own code has set keeps the run loaded, but not for longer."""


@dataclass(frozen=True)
class Wait:
    """One durable wait: until when (None: until woken), why, and the step that waits."""

    until: datetime | None
    reason: str
    step: OpenStep | None = None
    on_mail: bool = False  # ends, too, when something arrives for the run


@dataclass
class Load:
    """What a run has in memory right now; it can be unloaded when only `parked` is left."""

    open: dict[str, OpenStep] = field(default_factory=dict)
    parked: "dict[asyncio.Future[None], Wait]" = field(default_factory=dict)
    writes: int = 0
    held: int = 0

    @property
    def is_busy(self) -> bool:
        return bool(self.open or self.writes)


class Driving(Protocol):
    """The execution, as its waits see it."""

    timers: OwnTimers

    @property
    def sealed(self) -> bool: ...
    @property
    def needs_to_stay(self) -> bool: ...
    def submit(self, transition: Transition) -> "asyncio.Future[Any]": ...
    def call_later(self, seconds: float, function: Callable[..., object], *args: Any) -> asyncio.TimerHandle: ...
    def check_open(self) -> None: ...
    def unloaded(self) -> None: ...
    def refuse_timer(self, seconds: float) -> None: ...
    def lose(self) -> None: ...


class Waiting:
    """Parks the waits of one run and decides when it leaves memory."""

    def __init__(self, driving: Driving, mailbox: Mailbox, unload_after: float | None = None) -> None:
        self.load = Load()
        self._leave: Callable[[], None] | None = None
        self._driving = driving
        self._unload_after = unload_after
        self._mailbox = mailbox
        self._idle: asyncio.TimerHandle | None = None
        self._unloading: asyncio.Future[None] | None = None
        self._looking: asyncio.Future[None] | None = None

    async def park(
        self, until: datetime | None, reason: str, step: OpenStep | None = None, on_mail: bool = False
    ) -> None:
        """Wait durably: the run may be unloaded meanwhile and replayed on wake."""
        self._driving.check_open()
        if on_mail and self._mailbox.is_stale:
            return
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.load.parked[waiter] = Wait(until, reason, step, on_mail)
        if until is not None:
            self._end_at(until, waiter)
        self.settle()
        try:
            await waiter
        finally:
            self.load.parked.pop(waiter, None)
            self.settle()

    def _end_at(self, until: datetime, waiter: "asyncio.Future[None]") -> None:
        delay = max(0.0, (until - clock.now()).total_seconds())
        if delay and clock.standing():
            return  # nothing passes until a test moves the clock
        self._driving.call_later(delay, _end, waiter)

    def wake(self) -> None:
        """Something arrived: whoever waits for mail looks again."""
        for waiter, wait in list(self.load.parked.items()):
            if wait.on_mail:
                _end(waiter)

    async def hold(self) -> None:
        """Wait until the job's own code cancels this call, as it did before; not a reason to unload."""
        self.load.held += 1
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            self.load.held -= 1
            self.settle()

    async def gate(self) -> None:
        """The step boundary: an unload or a drain under way goes first."""
        self._driving.check_open()
        if self._unloading is not None:
            await asyncio.shield(self._unloading)
        if self._leave is not None:
            await self.park(None, _BOUNDARY)
        self._driving.check_open()

    def leave_by(self, decide: Callable[[], None]) -> None:
        """At the next step boundary `decide()` ends the driving; at once if no step is running."""
        self._leave = decide
        self.settle()

    def stay(self) -> None:
        """What `leave_by` asked for is taken back: whoever waits at the step boundary goes on."""
        self._leave = None
        for waiter, wait in list(self.load.parked.items()):
            if wait.reason == _BOUNDARY:
                _end(waiter)

    def stop(self) -> None:
        """The context is sealed: nothing is unloaded any more."""
        if self._idle is not None:
            self._idle.cancel()

    def settle(self) -> None:
        """What the run holds has changed: leave memory soon, at once, or not."""
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None
        if self._driving.sealed or self.load.is_busy or self._unloading is not None:
            return
        if self._leave is not None:
            self._leave()
        elif self.load.parked and not self.load.held and not self._driving.needs_to_stay:
            after = get_settings().unload_after if self._unload_after is None else self._unload_after
            self._idle = self._driving.call_later(after, self._unload)

    def _unload(self, turns: int = QUIET_TURNS) -> None:
        """Time to leave, if nothing of the job's code is on its way: it would be lost, and with it what it goes for."""
        own = self._driving.timers.last_seconds()
        if self.load.is_busy:
            return  # a write was begun since; its end settles again
        if own is None and turns:
            self._idle = self._driving.call_later(0, self._unload, turns - 1)
        elif own is None:
            self._go_idle()
        elif own > OWN_TIMER_SECONDS:  # it would be forgotten, and what it guards wait for ever
            self._driving.refuse_timer(own)
        else:
            self._idle = self._driving.call_later(own, self._unload)

    def _go_idle(self) -> None:
        self._unloading = asyncio.get_running_loop().create_future()
        if self._mailbox.is_stale:
            # the inbox has moved on: look what came before going idle on its new value
            self._looking = asyncio.ensure_future(self._mailbox.look())
            self._looking.add_done_callback(self._looked)
            return
        waits = self.load.parked.values()
        until = min((wait.until for wait in waits if wait.until is not None), default=None)
        reason = next((wait.reason for wait in waits), "")
        waiter = self._driving.submit(ends.wait(until, reason, self._mailbox.inbox))
        waiter.add_done_callback(self._unload_answered)

    def _looked(self, looking: "asyncio.Future[None]") -> None:
        if not looking.cancelled() and looking.exception() is not None:
            self._mailbox.mark_stale()  # the database does not answer: again after the next pause
        self._go_on()
        self.wake()

    def _go_on(self) -> None:
        unloading, self._unloading = self._unloading, None
        if unloading is not None:
            unloading.set_result(None)
        self.settle()

    def _unload_answered(self, waiter: "asyncio.Future[Any]") -> None:
        """The verdict was the commit: only now is the context sealed. A changed inbox keeps the run loaded."""
        if waiter.result() is Result.DONE:
            self._driving.unloaded()
        elif waiter.result() is Result.LOST:
            self._driving.lose()
        else:
            self._mailbox.mark_stale()
            self.wake()
        self._go_on()


def _end(waiter: "asyncio.Future[None]") -> None:
    if not waiter.done():
        waiter.set_result(None)
