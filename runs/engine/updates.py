"""Updates: handlers of the job that run inside a run, one after the other in order of arrival, each to one end.

A handler is called again after a crash or an unload until its end is recorded; its steps are those of a branch of its
own. It sees the state as it was when it began, which its row keeps before its first step, and changes it at its end:
so neither it nor the job's code depends on how the two were interleaved.
"""

import asyncio
import json
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any, Protocol
from uuid import UUID

from runs import clock
from runs.definitions import Job
from runs.engine.branches import Branch, OwnTimers, update_branch
from runs.engine.ends import body
from runs.engine.frontier import Effect, Frontier
from runs.engine.mailbox import Letter, Mailbox
from runs.engine.payload import describe_error, dump, encode
from runs.engine.state import RunState, UpdateState
from runs.engine.store.transitions import LetterRow, Transition
from runs.events.types import EventDraft, EventType


class Handling(Protocol):
    """The execution, as its updates see it."""

    timers: OwnTimers

    @property
    def run_id(self) -> UUID: ...
    @property
    def sealed(self) -> bool: ...
    @property
    def mailbox(self) -> Mailbox: ...
    def in_background(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        """A task of the engine's own, outside every branch."""

    def in_branch(self, branch: Branch, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]": ...
    def adopt(self, task: "asyncio.Task[Any]") -> None: ...
    def is_parked(self, branch: Branch) -> bool: ...
    def settle(self) -> None: ...
    async def gate(self) -> None: ...
    async def commit(self, transition: Transition, *, finish: bool = False) -> Exception | None: ...
    def post(self, transition: Transition) -> None: ...


class Updates:
    """The updates of one execution."""

    def __init__(
        self, kernel: Handling, job: Job, frontier: Frontier, state: RunState, handled: int,
        begin: Callable[[dict[str, Any]], tuple[UpdateState, Any]],
    ) -> None:  # fmt: skip
        """`handled` by earlier executions; `begin(seen)` gives the state and the context of a handler."""
        self._kernel, self._job, self._frontier, self._state = kernel, job, frontier, state
        self._begin = begin
        self._number = handled
        self._queue: deque[Letter] = deque()
        self._current: One | None = None
        self._clerk: asyncio.Task[None] | None = None
        self._looking: asyncio.Task[None] | None = None

    @property
    def need_the_run(self) -> bool:
        """Whether something is to be done that is not parked in a durable wait."""
        if self._current is None:
            return bool(self._queue)
        return not self._kernel.is_parked(self._current.branch)

    def look(self) -> None:
        """Something may have come, and no wait of the run need be there to read it."""
        if self._looking is None or self._looking.done():
            self._looking = self._kernel.in_background(self._kernel.mailbox.look())

    def collect(self) -> None:
        """Take what the mailbox has read."""
        self._queue += self._kernel.mailbox.take_updates()
        if self._queue and (self._clerk is None or self._clerk.done()):
            self._clerk = self._kernel.in_background(self._handle_all())
            self._kernel.settle()

    def first_step(self) -> None:
        """The handler under way comes to a step: what it saw is on disk before anything that it does."""
        if self._current is not None:
            self._current.keep_seen()

    async def finish(self) -> None:
        """The job's function has returned: handle every update that has come."""
        self._frontier.finish()
        while True:
            if self._kernel.mailbox.inbox:
                await self._kernel.mailbox.look()  # one that is under way is waited for
            self.collect()
            if self._clerk is None or self._clerk.done():
                return
            await asyncio.wait([self._clerk])

    async def _handle_all(self) -> None:
        while self._queue:
            await self._frontier.reached()
            if not self._job.is_async:
                await self._frontier.outside_code()
            self._number += 1
            branch = Branch(update_branch(self._number), self._adopt, self._kernel.timers)
            self._current = One(self._kernel, self._job, self._queue.popleft(), branch, self._frontier, self._state)
            task = self._kernel.in_branch(branch, self._current.handle(self._begin))
            await asyncio.wait([task])
            self._current = None
            if self._kernel.sealed:
                return
            task.result()
        self._kernel.settle()

    def _adopt(self, task: "asyncio.Task[Any]") -> None:
        """A task that a handler made: it ends with the handler."""
        self._kernel.adopt(task)
        if self._current is not None:
            self._current.tasks.append(task)


class One:
    """One update under way."""

    def __init__(
        self, kernel: Handling, job: Job, letter: Letter, branch: Branch, frontier: Frontier, state: RunState
    ) -> None:
        self.branch = branch
        self.tasks: list[asyncio.Task[Any]] = []
        self._kernel, self._job, self._letter = kernel, job, letter
        self._frontier, self._run_state = frontier, state
        kept = letter.effect
        self._seen: dict[str, Any] = state.value if kept is None else kept["seen"]
        self._is_kept = kept is not None

    def keep_seen(self) -> None:
        if not self._is_kept:
            self._is_kept = True
            seen = json.dumps({"seen": self._seen}, ensure_ascii=False)
            row = LetterRow(self._kernel.run_id, self._letter.id, None, None, effect=seen)
            self._kernel.post(Transition(clock.now(), letters=(row,)))

    async def handle(self, begin: Callable[[dict[str, Any]], tuple[UpdateState, Any]]) -> None:
        """Call the handler and record its end. Raises Suspended when the run leaves this process."""
        state, step = begin(self._seen)
        try:
            result = await self._call(step)
            await self._leave_code()
            ending = self._completion(result, state)
        except asyncio.CancelledError as exc:
            if self._kernel.sealed:
                raise
            ending = self._failure(exc)  # the handler's own doing
        except Exception as exc:
            await self._leave_code()
            ending = self._failure(exc)
        problem = await self._kernel.commit(ending)
        if problem is not None:
            await self._kernel.commit(self._failure(problem))

    async def _call(self, step: Any) -> Any:
        update = self._job.updates.find(self._letter.name)
        given = update.parse(self._letter.payload)
        try:
            value = await body(update.function, step, *given)
        finally:
            await self._stop_tasks()
        return encode(update.parse_result(value), f"The result of {update.what}").shown

    async def _stop_tasks(self) -> None:
        left = [task for task in self.tasks if not task.done()]
        for task in left:
            task.cancel()
        if left:
            await asyncio.wait(left)

    async def _leave_code(self) -> None:
        """Nothing is between here and the commit: an unload, a pause or a drain under way goes first."""
        if not self._job.is_async:
            await self._frontier.outside_code()
        await self._kernel.gate()

    def _completion(self, result: Any, state: UpdateState) -> Transition:
        events: tuple[EventDraft, ...] = ()
        effect = text = None
        changes = state.changes
        value = dump(result, "The result of an update")
        if not changes.are_none:
            place = self._frontier.place()
            patch, text = self._run_state.merge_new(changes, state.shown_changes)
            events, effect = (patch,), Effect(changes, place).text
        data = {"update": self._letter.name, "id": self._letter.id, "result": result}
        return self._end((*events, EventDraft(EventType.UPDATE_COMPLETE, data)), value, None, effect, text)

    def _failure(self, exc: BaseException) -> Transition:
        error = describe_error(exc)
        data = {"update": self._letter.name, "id": self._letter.id, "error": error}
        return self._end((EventDraft(EventType.UPDATE_FAIL, data),), None, dump(error, "error"), None, None)

    def _end(
        self, events: tuple[EventDraft, ...], result: str | None, error: str | None, effect: str | None,
        state: str | None,
    ) -> Transition:  # fmt: skip
        now = clock.now()
        row = LetterRow(self._kernel.run_id, self._letter.id, self.branch.path, now, result, error, effect)
        return Transition(now, events=events, letters=(row,), state=state)
