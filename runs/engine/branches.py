"""Which asyncio task of a job calls a step: its branch, the same on every replay.

With gather the live order of calls was a0 b0 b1 a1 and the replay's a0 b0 a1 b1, so order is kept per task, not
per run.
"""

import asyncio
import contextvars
from collections.abc import Callable, Coroutine
from typing import Any


class Branch:
    """The path of one task of a job: its parent's path and its number among the parent's children."""

    __slots__ = ("_adopt", "_children", "_named", "_notes", "_position", "path")

    def __init__(self, path: str, adopt: "Callable[[asyncio.Task[Any]], None]") -> None:
        self.path = path
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
        return Branch(f"{self.path}.{self._children}", self._adopt)

    def next_position(self) -> int:
        self._position += 1
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
    own.run(_current.set, parent.child())
    task: asyncio.Task[Any] = asyncio.Task(coro, loop=loop, context=own, **kwargs)
    parent.adopt(task)
    return task
