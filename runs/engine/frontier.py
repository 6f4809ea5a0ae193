"""How far an execution has come against what earlier ones recorded, and where updates changed the state.

An update's change of the state is not made again by calling its handler: it is recorded with how far each branch of
the job had come, and a replay makes it there. Applied earlier or later, the job's code would read another state than
it did, and take another way than its history.
"""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from runs.engine.branches import Branch
from runs.engine.history import History
from runs.engine.state import Changes, RunState
from runs.models import Run, Signal, SignalKind


@dataclass(frozen=True)
class Effect:
    """What one update changed, and the ticks of each branch of the job then."""

    changes: Changes
    place: Mapping[str, int]

    @property
    def text(self) -> str:
        """JSON text for the update's row."""
        parts = {"set": self.changes.members, "drop": self.changes.dropped, "place": dict(self.place)}
        return json.dumps(parts, ensure_ascii=False)


@dataclass
class Handled:
    """The updates that earlier executions handled, in order: how many, and what they changed."""

    branches: list[str] = field(default_factory=list)
    effects: list[Effect] = field(default_factory=list)


def load_handled(run: Run) -> Handled:
    """One query."""
    found = Handled()
    rows = Signal.objects.filter(run=run, kind=SignalKind.UPDATE, consumed_by__isnull=False).order_by("id")
    for branch, effect in rows.values_list("consumed_by", "effect"):
        found.branches.append(branch or "")
        if effect is not None:
            found.effects.append(Effect(Changes(effect["set"], effect["drop"]), effect["place"]))
    return found


class Frontier:
    """All methods are called in the driving loop."""

    def __init__(self, run: Run, history: History, state: RunState, root: Branch, effects: list[Effect]) -> None:
        self._history, self._state, self._root = history, state, root
        self._effects = list(effects)
        self._notes = {path: count for path, count in run.notes.items() if not Branch.is_of_update(path)}
        self._steps = [
            one.name for one in history.by_name.values() if not Branch.is_of_update(one.branch) and not one.is_tentative
        ]
        self._waiters: list[asyncio.Future[None]] = []
        self.is_reached = False
        self.moved()

    def moved(self) -> None:
        """A branch of the job has come to a step, or is about to leave one."""
        if not self.is_reached:
            self._apply()
            self.is_reached = not self._effects and self._has_replayed()
        if self._waiters:
            waiters, self._waiters = self._waiters, []
            for waiter in waiters:
                if not waiter.done():
                    waiter.set_result(None)

    def forget_notes(self, branch: Branch) -> None:
        """The branch has come to a step that is still to be done: it has no note to come to before that."""
        self._notes.pop(branch.path, None)

    def finish(self) -> None:
        """The job's function has returned: there is nothing left to come to."""
        self._root.has_ended = True
        self._effects, self._steps, self._notes = [], [], {}
        self.moved()

    async def reached(self) -> None:
        """Wait until the code has come to all that is recorded: its state is today's."""
        while not self.is_reached:
            await self._next_move()

    async def outside_code(self) -> None:
        """Wait while the thread of a plain `def` job is at work between two steps, where it may read the state."""
        while not (self._root.is_inside_step or self._root.has_ended):
            await self._next_move()

    async def pass_out(self, branch: Branch) -> None:
        """Before a step gives its value to the job's code: what was changed meanwhile is there."""
        while self._effects and self._effects[0].place.get(branch.path, 0) <= branch.ticks:
            self.moved()
            if self._effects and self._effects[0].place.get(branch.path, 0) <= branch.ticks:
                await self._next_move()

    def place(self) -> dict[str, int]:
        """The ticks of each branch that has come to a step, and that others have not passed since."""
        family = self._root.family.items()
        return {path: branch.ticks for path, branch in family if branch.ticks and not branch.is_past}

    async def _next_move(self) -> None:
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        await waiter

    def _apply(self) -> None:
        while self._effects and all(self._is_at(*one) for one in self._effects[0].place.items()):
            self._state.merge(self._effects.pop(0).changes)

    def _is_at(self, path: str, ticks: int) -> bool:
        branch = self._root.family.get(path)
        return (branch is not None and branch.ticks >= ticks) or self._history.is_excused(path)

    def _has_replayed(self) -> bool:
        while self._steps and self._steps[-1] in self._history.asked:
            self._steps.pop()
        family = self._root.family
        return not self._steps and all(
            (path in family and family[path].notes >= count) or self._history.is_excused(path)
            for path, count in self._notes.items()
        )
