"""Which asyncio task of a job calls a step: its branch, the same on every replay.

With gather the live order of calls was a0 b0 b1 a1 and the replay's a0 b0 a1 b1, so order is kept per task, not
per run.
"""

import asyncio
import contextvars
from collections.abc import Callable, Coroutine
from typing import Any


class OwnTimers:
    """Timers of the event loop that a job's own code has set, as `asyncio.timeout` does: they live in memory only."""

    def __init__(self) -> None:
        self._handles: list[asyncio.TimerHandle] = []
        self._most = 64

    def add(self, handle: asyncio.TimerHandle) -> None:
        self._handles.append(handle)
        if len(self._handles) > self._most:  # not at each one: a job may set thousands
            self._handles = self._pending()
            self._most = max(64, 2 * len(self._handles))

    def last_seconds(self) -> float | None:
        """Until the last of them goes off; None when none is set."""
        left = [one.when() - asyncio.get_running_loop().time() for one in self._pending()]
        return max(left, default=None)

    def _pending(self) -> list[asyncio.TimerHandle]:
        now = asyncio.get_running_loop().time()
        return [one for one in self._handles if not one.cancelled() and one.when() > now]


def update_branch(number: int | str) -> str:
    """Path of the branch that handles a run's update of this number, from 1."""
    return f"u{number}"


class Branch:
    """The path of one task of a job: its parent's path and its number among the parent's children."""

    __slots__ = (
        "_adopt", "_born", "_children", "_named", "_notes", "_parent", "_position", "family", "has_ended",
        "is_inside_step", "path", "timers",
    )  # fmt: skip

    def __init__(
        self, path: str, adopt: "Callable[[asyncio.Task[Any]], None]", timers: "OwnTimers",
        parent: "Branch | None" = None,
    ) -> None:  # fmt: skip
        self.path = path
        self.timers = timers
        self._parent = parent
        self._born = parent.ticks if parent else 0
        self.family: dict[str, Branch] = parent.family if parent else {}
        """This branch and all that came of the same root, by path."""
        self.family[path] = self
        self.is_inside_step = False
        self.has_ended = False
        self._adopt = adopt
        self._children = 0
        self._position = 0
        self._notes = 0
        self._named: dict[str, int] = {}

    def next_of(self, label: str) -> int:
        """Number, from 1, of a step of this branch that is named after `label`."""
        self._named[label] = self._named.get(label, 0) + 1
        return self._named[label]

    def next_children(self, count: int) -> list[str]:
        """Paths that the next children will have."""
        return [f"{self.path}.{self._children + number}" for number in range(1, count + 1)]

    def skip_children(self, count: int) -> list[str]:
        """Paths of the next children, which a replay does not make."""
        return [self.child().path for _ in range(count)]

    def child(self) -> "Branch":
        self._children += 1
        return Branch(f"{self.path}.{self._children}", self._adopt, self.timers, self)

    @staticmethod
    def is_of_update(path: str) -> bool:
        return path.startswith(update_branch(""))

    @property
    def ticks(self) -> int:
        """How far it has come: two for each step, one for a step that it has not left yet."""
        return 2 * self._position - self.is_inside_step

    def leave_step(self) -> None:
        self.is_inside_step = False

    def end(self, _: object = None) -> None:
        self.has_ended = True

    @property
    def is_past(self) -> bool:
        """It has ended, and the branch that made it has gone on since: whoever comes there has passed it."""
        return self.has_ended and self._parent is not None and self._parent.ticks > self._born

    def qualified(self, name: str) -> str:
        """Names are unique in a run: a step of an update says which one it belongs to."""
        return f"{name}@{self.path.partition('.')[0]}" if self.is_of_update(self.path) else name

    def next_position(self) -> int:
        self._position += 1
        self.is_inside_step = True
        return self._position - 1

    @property
    def position(self) -> int:
        """Place of the next step of this branch, from 0."""
        return self._position

    @property
    def children(self) -> int:
        """Tasks that this branch has made so far."""
        return self._children

    @property
    def notes(self) -> int:
        """Log and progress calls of this branch so far."""
        return self._notes

    def next_note(self) -> int:
        """Number, from 1, of a log or progress call of this branch."""
        self._notes += 1
        return self._notes

    def adopt(self, task: "asyncio.Task[Any]") -> None:
        self._adopt(task)


_current: contextvars.ContextVar[Branch | None] = contextvars.ContextVar("runs_branch", default=None)


def current_branch() -> Branch | None:
    """The branch of the running task; None outside a job's own code, as in a step function."""
    return _current.get()


def enter(branch: Branch | None) -> contextvars.Token[Branch | None]:
    return _current.set(branch)


def leave(token: contextvars.Token[Branch | None]) -> None:
    _current.reset(token)


def prepare(loop: asyncio.AbstractEventLoop) -> None:
    """Make a loop one that drives runs: it knows the tasks and the timers of their own code."""
    loop.set_task_factory(task_factory)  # type: ignore[arg-type]  # typed for generators too
    call_at = loop.call_at

    def watched(when: float, callback: Callable[..., object], *args: Any, context: Any = None) -> asyncio.TimerHandle:
        handle = call_at(when, callback, *args, context=context)
        branch = context.get(_current) if context is not None else _current.get()
        if branch is not None:
            branch.timers.add(handle)
        return handle

    loop.call_at = watched  # type: ignore[assignment, method-assign]  # call_later goes through it


def task_factory(
    loop: asyncio.AbstractEventLoop,
    coro: Coroutine[Any, Any, Any],
    *,
    context: contextvars.Context | None = None,
    **kwargs: Any,
) -> "asyncio.Task[Any]":
    """The task factory of a driving loop: a task made by a job's own code becomes a branch of it."""
    parent = context.get(_current) if context is not None else _current.get()
    if parent is None:
        return asyncio.Task(coro, loop=loop, context=context, **kwargs)
    own = (context or contextvars.copy_context()).copy()
    child = parent.child()
    own.run(_current.set, child)
    task: asyncio.Task[Any] = asyncio.Task(coro, loop=loop, context=own, **kwargs)
    task.add_done_callback(child.end)
    parent.adopt(task)
    return task
