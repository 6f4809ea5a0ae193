"""One piece of work: an iteration's, or a sub-step's. What is prepared, what is done, and what it changes.

What is done may be raced with a message that interrupts it, and a replay that knows the race's winner does not do it
again. So whatever changes the run's state is in what `perform` gives, and `settle` makes the change.
"""

from typing import Protocol

from pydantic import BaseModel, PrivateAttr

from flows.agents.calls import Session
from flows.agents.execution.outcome import Outcome
from providers.messages import Message


class Performed(BaseModel):
    """`said` is what a conversation grew by, and `dropped` how many of its oldest messages went: a whole one each time
    would make the run's history grow with the square of its length.
    """

    outcome: Outcome
    reports: dict[str, str] = {}
    session_id: str = ""
    dropped: int = 0
    said: list[Message] = []
    _session: Session | None = PrivateAttr(default=None)

    @classmethod
    def in_session(cls, outcome: Outcome, reports: dict[str, str], before: Session, after: Session) -> "Performed":
        known = {id(message) for message in before.messages}
        said = [message for message in after.messages if id(message) not in known]
        kept = len(after.messages) - len(said)
        made = cls(
            outcome=outcome, reports=reports, session_id=after.id, dropped=len(before.messages) - kept, said=said
        )
        made._session = after
        return made

    def session_after(self, before: Session | None) -> Session | None:
        """The conversation as it is now; None where there was none and is none."""
        if self._session is not None or not (self.said or self.session_id):
            return self._session or before
        old = before.messages if before is not None else ()
        return Session(messages=(*old[self.dropped :], *self.said), id=self.session_id)


class Unit(Protocol):
    """Called in this order, each once in an execution."""

    async def prepare(self) -> None:
        """What must come before any other unit of the same iteration begins."""
        ...

    async def perform(self) -> Performed:
        """The work. What it fails with is an outcome."""
        ...

    def settle(self, performed: Performed) -> Outcome:
        """Change the run's state."""
        ...
