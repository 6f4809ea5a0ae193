"""The conversations of one run: which agent goes on in which, one turn after the other."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from flows.agents.calls import Session
from flows.agents.spec import Step


@dataclass(slots=True)
class Held:
    """A conversation while an agent's turn is in it: `session` is what it was, and what the turn leaves."""

    key: str
    session: Session | None


class Sessions:
    """By key. `initial` is what the run is started with: see `Session.of`.

    What a turn leaves is seen by the next ones of its iteration, and by later ones what was kept of it: a replay that
    knows what came of an iteration takes no turns, so a conversation grows by what is kept alone.
    """

    def __init__(self, initial: Mapping[str, Any] | None = None) -> None:
        self._sessions = {key: Session.of(given) for key, given in (initial or {}).items()}
        self._left: dict[str, Session] = {}
        self._turns: dict[str, asyncio.Lock] = {}

    @asynccontextmanager
    async def held(self, step: Step, parent: Step | None = None) -> AsyncIterator[Held]:
        """Inside, nobody else is in the step's conversation. A lock is handed on in the order of asking, so a replay
        meets the same order."""
        key = key_of(step, parent)
        async with self._turns.setdefault(key, asyncio.Lock()):
            before = self._left.get(key) or self._sessions.get(key)
            held = Held(key, None if step.session == "refresh" else before)
            yield held
            if held.session is not None:
                self._left[key] = held.session

    def begin(self) -> None:
        """A new iteration: of one that was interrupted nothing was kept."""
        self._left.clear()

    def keep(self, key: str, session: Session | None) -> None:
        """What came of a turn; None forgets nothing."""
        if session is not None:
            self._sessions[key] = session

    def get(self, key: str) -> Session | None:
        return self._sessions.get(key)


def key_of(step: Step, parent: Step | None = None) -> str:
    """Its `session_key`, else its persona. A step of a parallel one has a conversation of its own without a key."""
    if step.session_key:
        return step.session_key
    return f"{parent.name} / {step.name}" if parent is not None else step.persona or step.name
