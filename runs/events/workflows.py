"""What other apps know of the events of their steps, for the workflow API: registered, since the engine knows none."""

from collections.abc import Callable
from typing import Any

from runs.events.types import RunEvent

Told = list[tuple[str, dict[str, Any]]]
"""Events of the workflow API: each its name and what it says."""

Teller = Callable[[RunEvent], Told | None]
_tellers: dict[str, Teller] = {}


def add_teller(name: str, teller: Teller) -> None:
    """`teller(event)` gives what is told in place of an event, perhaps nothing; None where it does not know the step.

    Belongs in an app's `ready`; the same name replaces.
    """
    _tellers[name] = teller


def told_instead(event: RunEvent) -> Told | None:
    """By the first who knows the event's step; None: nobody does."""
    for teller in _tellers.values():
        if (told := teller(event)) is not None:
            return told
    return None
