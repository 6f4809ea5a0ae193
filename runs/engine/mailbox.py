"""What was sent to a run and is not consumed yet, in order of arrival."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from runs.models import Run, Signal, SignalKind


class MailArrived(Exception):
    """A transition that was held back: something arrived that the run has not seen."""


@dataclass(frozen=True, slots=True)
class Letter:
    """One unconsumed signal or update."""

    id: int
    kind: str
    name: str
    payload: Any


@dataclass(frozen=True, slots=True)
class Mail:
    """The inbox, read before the letters: what came later raised it again."""

    inbox: int
    letters: list[Letter]


def read_mail(run_id: UUID, after: int) -> Mail:
    """The inbox of the run, then its unconsumed letters with `id > after` (two queries, in this order)."""
    inbox = Run.objects.filter(id=run_id).values_list("inbox", flat=True).first() or 0
    rows = Signal.objects.filter(run_id=run_id, consumed_by=None, id__gt=after).order_by("id")
    return Mail(inbox, [Letter(*row) for row in rows.values_list("id", "kind", "name", "payload")])


class Mailbox:
    """The letters of one execution. `read(after)` fetches mail in a thread."""

    def __init__(self, inbox: int, read: Callable[[int], Awaitable[Mail]]) -> None:
        self.inbox = inbox
        self.is_stale = True
        self._read = read
        self._letters: list[Letter] = []
        self._last_id = 0
        self._looking = asyncio.Lock()

    def mark_stale(self) -> None:
        self.is_stale = True

    async def look(self) -> None:
        """Read what arrived since the last look; a run of signals costs one look."""
        async with self._looking:
            while self.is_stale:
                self.is_stale = False
                mail = await self._read(self._last_id)
                self.inbox = max(self.inbox, mail.inbox)
                self._letters += mail.letters
                self._last_id = max([self._last_id, *(letter.id for letter in mail.letters)])

    def take(self, names: tuple[str, ...], kind: str = SignalKind.SIGNAL) -> Letter | None:
        """The oldest letter of one of these names, out of the box."""
        for letter in self._letters:
            if letter.kind == kind and letter.name in names:
                self._letters.remove(letter)
                return letter
        return None

    def take_updates(self) -> list[Letter]:
        """Every update that has come, in order."""
        updates = [letter for letter in self._letters if letter.kind == SignalKind.UPDATE]
        self._letters = [letter for letter in self._letters if letter.kind != SignalKind.UPDATE]
        return updates

    def put_back(self, letter: Letter) -> None:
        """The wait that took it was cancelled: it is the next one's again."""
        self._letters = sorted([*self._letters, letter], key=lambda one: one.id)
