"""A month of schedules as days: what ran, and what is due. Pure: no database, no clock."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any, Self
from uuid import UUID

from django.core.exceptions import BadRequest

_MONTH = re.compile(r"([12][0-9]{3})-(0[1-9]|1[0-2])")


@dataclass(frozen=True, order=True)
class Month:
    """Of a year from 1970 to 2999, so that the months beside it can be said too."""

    year: int
    month: int

    @classmethod
    def of(cls, text: str, today: date) -> Self:
        """Of `2026-11`; today's without a text. Raises BadRequest."""
        if not text:
            return cls(today.year, today.month)
        found = _MONTH.fullmatch(text)
        if found is None or int(found[1]) < 1970:
            raise BadRequest("'month' is no month. Write it as in 2026-11.")
        return cls(int(found[1]), int(found[2]))

    def __str__(self) -> str:
        return f"{self.year:04}-{self.month:02}"

    @property
    def title(self) -> str:
        return f"{self.first:%B %Y}"

    @property
    def first(self) -> date:
        return date(self.year, self.month, 1)

    def moved(self, by: int) -> "Month":
        months = self.year * 12 + self.month - 1 + by
        return Month(months // 12, months % 12 + 1)

    def start(self, zone: tzinfo) -> datetime:
        """Its first moment there, in UTC. Where the clocks skip midnight, that is the moment of the skip."""
        return datetime(self.year, self.month, 1, tzinfo=zone).astimezone(UTC)

    def end(self, zone: tzinfo) -> datetime:
        return self.moved(1).start(zone)


@dataclass(frozen=True)
class Moment:
    """`at` is in UTC; `run` and `status` are there where a run was started then."""

    at: datetime
    schedule: Any
    run: UUID | None = None
    status: str = ""


@dataclass(frozen=True)
class Entry:
    """What one schedule did, or is to do, on one day: `times` as the clocks there show them."""

    schedule: Any
    times: list[str]
    run: UUID | None
    """Of one run alone."""
    statuses: list[tuple[str, int]]

    @property
    def has_failed(self) -> bool:
        return any(status == "failed" for status, _ in self.statuses)

    @property
    def count(self) -> int:
        return len(self.times)

    @property
    def span(self) -> str:
        return self.times[0] if self.count == 1 else f"{self.times[0]} to {self.times[-1]}"


@dataclass(frozen=True)
class Day:
    """`is_beside` are days of the months beside, which fill the weeks."""

    date: date
    is_today: bool
    is_beside: bool
    ran: list[Entry]
    due: list[Entry]

    @property
    def is_empty(self) -> bool:
        return not (self.ran or self.due)


def arrange(month: Month, zone: tzinfo, moments: Iterable[Moment], today: date) -> list[Day]:
    """The days of whole weeks from Monday on, with what falls into the month; each moment on its day in the zone."""
    of_days: dict[date, list[Moment]] = {}
    for moment in sorted(moments, key=lambda one: one.at):
        of_days.setdefault(moment.at.astimezone(zone).date(), []).append(moment)
    first, last = month.first, month.moved(1).first - timedelta(days=1)
    begin = first - timedelta(days=first.weekday())
    length = (last - begin).days + 7 - last.weekday()
    days = (begin + timedelta(days=number) for number in range(length))
    return [_day(one, month, zone, of_days.get(one, []), today) for one in days]


def _day(one: date, month: Month, zone: tzinfo, moments: list[Moment], today: date) -> Day:
    is_beside = (one.year, one.month) != (month.year, month.month)
    shown = [] if is_beside else moments
    ran = [moment for moment in shown if moment.run is not None]
    due = [moment for moment in shown if moment.run is None]
    return Day(one, one == today, is_beside, _entries(ran, one, zone), _entries(due, one, zone))


def _entries(moments: list[Moment], one: date, zone: tzinfo) -> list[Entry]:
    """One for each schedule, in the order of their first times."""
    held: dict[Any, list[Moment]] = {}
    for moment in moments:
        held.setdefault(moment.schedule.pk, []).append(moment)
    form = "%H:%M %Z" if _changes_clocks(one, zone) else "%H:%M"
    return [
        Entry(
            schedule=found[0].schedule,
            times=[f"{moment.at.astimezone(zone):{form}}" for moment in found],
            run=found[0].run if len(found) == 1 else None,
            statuses=sorted(Counter(moment.status for moment in found if moment.run).items()),
        )
        for found in held.values()
    ]


def _changes_clocks(one: date, zone: tzinfo) -> bool:
    """Then an hour occurs twice, or not at all, and only the zone's name tells which is meant."""
    begins, ends = (datetime(day.year, day.month, day.day, tzinfo=zone) for day in (one, one + timedelta(days=1)))
    return begins.utcoffset() != ends.utcoffset()
