"""What the writer knows of a run, and how much of it goes into the next batch."""

import asyncio
from collections import deque
from dataclasses import dataclass, field
from uuid import UUID

from runs.engine.store.transitions import Entry, Result, Transition

Answer = Result | Exception
Waiter = asyncio.Future[Answer]


@dataclass(slots=True)
class Pending:
    transition: Transition | None  # None: from here on somebody else writes, until `release`
    waiter: Waiter | None


@dataclass(eq=False, slots=True)
class Handle:
    """A claimed run as its writer knows it: the fence, the last write number, and what is to be written."""

    run_id: UUID
    token: int
    write_no: int
    pending: deque[Pending] = field(default_factory=deque)
    not_before: float = 0.0
    pause: float = 0.0
    one_by_one: int = 0  # transitions that go alone, because one of them is bad
    unsure: int = 0  # transitions sent together before, whose answer was lost: they go again as one, or not at all
    lost: bool = False
    held: bool = False  # a transactional step writes: this thread leaves the run alone


Batch = list[tuple[Handle, list[Pending], Entry]]


def leading(handle: Handle, room: int, space: int) -> list[Pending]:
    """The run's next transitions that can share a write: a conditional one goes alone."""
    if handle.unsure:
        return [handle.pending.popleft() for _ in range(handle.unsure)]
    limit = 1 if handle.one_by_one else room
    taken: list[Pending] = []
    while handle.pending and len(taken) < limit and space > 0:
        transition = handle.pending[0].transition
        if transition is None or (transition.is_conditional and taken):
            break
        taken.append(handle.pending.popleft())
        space -= weight(transition)
        if transition.is_conditional:
            break
    return taken


def weight(transition: Transition) -> int:
    """Bytes of the payloads, roughly: they are what makes a batch large."""
    steps = sum(len(row.output or "") + len(row.error or "") for row in transition.steps)
    states = sum(row.size for row in transition.checkpoints)
    return 200 + 2 * steps + states + transition.size


def tell(answers: list[tuple[Waiter, Answer]]) -> None:
    """Give each waiter its answer, with one wake-up per loop and batch, not one per step. Any thread."""
    by_loop: dict[asyncio.AbstractEventLoop, list[tuple[Waiter, Answer]]] = {}
    for waiter, answer in answers:
        by_loop.setdefault(waiter.get_loop(), []).append((waiter, answer))
    for loop, group in by_loop.items():
        if loop is asyncio._get_running_loop():
            _resolve(group)
        else:
            loop.call_soon_threadsafe(_resolve, group)


def _resolve(answers: list[tuple[Waiter, Answer]]) -> None:
    for waiter, answer in answers:
        if not waiter.done():
            waiter.set_result(answer)
