"""What other apps have workers do again and again: a registered hook, since the engine knows none of them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Chore:
    """`function()` finds its own work in the database and shares it with the chores of other processes."""

    name: str
    function: Callable[[], object]
    every: timedelta


_chores: dict[str, Chore] = {}


def add_chore(name: str, function: Callable[[], object], *, every: timedelta) -> None:
    """Each driver calls `function()` in a thread of its own, `every` so often after it returned.

    It may take long or fail: runs are not delayed. It may be cut short by the end of its process. Belongs in an app's
    `ready`; the same name replaces.
    """
    _chores[name] = Chore(name, function, every)


def all_chores() -> list[Chore]:
    return list(_chores.values())
