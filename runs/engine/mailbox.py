"""What was sent to a run and is not consumed yet, in order of arrival."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

from django.db import connection

from runs.engine.store.prepared import fetch_all
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
    effect: Any = None  # what an update that an earlier execution began has seen


@dataclass(frozen=True, slots=True)
class Mail:
    """The inbox, and the letters that had come when it was read: what came later raised it again."""

    inbox: int
    letters: list[Letter]


def read_mail(run_id: UUID, after: int) -> Mail:
    """The inbox of the run and its unconsumed letters with `id > after`, both of one moment (one query)."""
    key = Run._meta.pk.get_db_prep_value(run_id, connection)
    found = fetch_all(_UNREAD, [after, key])
    return Mail(found[0][0] if found else 0, [_letter(*row[1:]) for row in found if row[1] is not None])


def _letter(number: int, kind: str, name: str, payload: str | None, effect: str | None) -> Letter:
    values = (None if text is None else json.loads(text) for text in (payload, effect))
    return Letter(number, kind, name, *values)


# as Django's query it took most of the read's time to put together
_UNREAD = """
SELECT r.inbox, s.id, s.kind, s.name, s.payload, s.effect FROM runs_run r
LEFT JOIN runs_signal s ON s.run_id = r.id AND s.consumed_by IS NULL AND s.id > %s
WHERE r.id = %s ORDER BY s.id
"""


def letters_of(run_id: UUID, steps: list[str]) -> dict[str, Letter]:
    """The signals that these steps of the run consumed, by step."""
    rows = Signal.objects.filter(run_id=run_id, kind=SignalKind.SIGNAL, consumed_by__in=steps)
    return {row.consumed_by or "": Letter(row.pk, row.kind, row.name, row.payload) for row in rows}


class Reader(Protocol):
    """A wait for letters of some names."""

    @property
    def names(self) -> tuple[str, ...]: ...


class Mailbox:
    """The letters of one execution. `read(after)` fetches mail in a thread; `on_news()` wakes those who wait for it."""

    def __init__(self, inbox: int, read: Callable[[int], Awaitable[Mail]], on_news: Callable[[], None]) -> None:
        self.inbox = inbox
        self.is_stale = True
        self._read = read
        self._on_news = on_news
        self._readers: list[Reader] = []
        self._letters: list[Letter] = []
        self._last_id = 0
        self._looking = asyncio.Lock()

    def mark_stale(self) -> None:
        self.is_stale = True

    def expect(self) -> None:
        """`fill` comes with what is read from now on; a ring meanwhile makes it stale again."""
        self.is_stale = False

    def fill(self, mail: Mail) -> None:
        """What was read in one go with something else."""
        self._add(mail)

    async def look(self) -> None:
        """Read what arrived since the last look; a run of signals costs one look."""
        async with self._looking:
            while self.is_stale:
                self.is_stale = False
                try:
                    mail = await self._read(self._last_id)
                except BaseException:
                    self.is_stale = True  # whoever looks next reads what this one did not
                    self._on_news()
                    raise
                self._add(mail)

    def _add(self, mail: Mail) -> None:
        is_news = bool(mail.letters) or mail.inbox != self.inbox
        self.inbox = max(self.inbox, mail.inbox)
        self._letters += mail.letters
        self._last_id = max([self._last_id, *(letter.id for letter in mail.letters)])
        if is_news:
            self._on_news()  # what one wait has read may be for another

    def join(self, reader: "Reader") -> None:
        """From now on the reader has its place among those who wait for letters."""
        if reader not in self._readers:
            self._readers.append(reader)

    def leave(self, reader: "Reader") -> None:
        """The reader's wait is over, and what would have been its letter is the next one's."""
        if reader in self._readers:
            self._readers.remove(reader)
            self._on_news()

    def take(self, reader: "Reader") -> Letter | None:
        """The letter of this reader, out of the box: the oldest goes to whoever asked first for one of its name."""
        free = list(self._readers)
        for letter in self._letters:
            taker = next((one for one in free if letter.name in one.names), None)
            if letter.kind != SignalKind.SIGNAL or taker is None:
                continue
            if taker is reader:
                self._letters.remove(letter)
                return letter
            free.remove(taker)
        return None

    def take_updates(self) -> list[Letter]:
        """Every update that has come, in order."""
        updates = [letter for letter in self._letters if letter.kind == SignalKind.UPDATE]
        self._letters = [letter for letter in self._letters if letter.kind != SignalKind.UPDATE]
        return updates

    def put_back(self, letter: Letter) -> None:
        """The wait that took it was cancelled: it is the next one's again."""
        self._letters = sorted([*self._letters, letter], key=lambda one: one.id)
        self._on_news()
