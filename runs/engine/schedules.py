"""When a schedule is due: cron, time zones, and what becomes of times that were missed. No database."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from functools import cache
from itertools import islice, takewhile
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

from cronsim import CronSim, CronSimError

from runs.errors import InvalidOption
from runs.models import CatchUp

GRACE: Final = timedelta(seconds=60)
"""A time is missed when it was due for longer than this."""

LONGEST: Final = timedelta(days=31)
"""What was missed before is neither made up for nor counted."""

CATCH_UP_LIMIT: Final = 100
"""So many missed times are made up for, the newest."""

FARTHEST: Final = datetime(9999, 1, 1, tzinfo=UTC)
AT_ONCE: Final = 10
"""So many runs are started in one transaction; the others follow in the next."""


@dataclass(frozen=True)
class Timetable:
    """The times of a schedule: those of `cron`, read in the zone, or the one time `at`. Times are in UTC."""

    cron: str
    zone: str
    at: datetime | None = None

    def check(self) -> None:
        """Raises InvalidOption naming cron, timezone or at."""
        if bool(self.cron) == bool(self.at):
            raise InvalidOption("cron", "and 'at' cannot both be given or missing", "Give one of them.")
        zone = _zone(self.zone)
        if self.at is not None and self.at.tzinfo is None:
            raise InvalidOption("at", "has no time zone", "Give one, as in 2030-01-31T12:00:00Z.")
        # a time of the last year may be of the year 10000 in another zone, which no page could show
        if self.at is not None and self.at > FARTHEST:
            raise InvalidOption("at", "is too far away", "Use a year before 9999.")
        if self.cron:
            _check_cron(self.cron, zone)

    def in_words(self) -> str:
        """As in "At 09:00 on Monday through Friday"; empty for a one-off."""
        return CronSim(self.cron, datetime(2024, 1, 1, tzinfo=UTC)).explain() if self.cron else ""

    def after(self, moment: datetime) -> datetime | None:
        """The first time after `moment`."""
        return next(self._after(moment), None)

    def upcoming(self, moment: datetime, count: int) -> list[datetime]:
        """The next `count` times after `moment`; fewer where there are fewer."""
        return list(islice(self._after(moment), count))

    def until(self, moment: datetime, end: datetime) -> Iterator[datetime]:
        """The times after `moment` and before `end`."""
        return takewhile(lambda at: at < end, self._after(moment))

    def due(self, planned: datetime, now: datetime) -> list[datetime]:
        """`planned` and the times after it up to `now`; after a longer outage only those of the LONGEST."""
        since = max(planned, now - LONGEST)
        return [planned, *takewhile(lambda at: at <= now, self._after(since))]

    def _after(self, moment: datetime) -> Iterator[datetime]:
        if self.at is not None:
            yield from [self.at] if self.at > moment else []
            return
        last = moment
        for local in CronSim(self.cron, moment.astimezone(_zone(self.zone))):
            # An hour that occurs twice, or not at all, makes cron's times go back or stand still.
            if (at := local.astimezone(UTC)) > last:
                last = at
                yield at


@dataclass(frozen=True)
class Plan:
    """What is to be done now: the times to start, how many are given up, and when to look again."""

    start: list[datetime]
    missed: int
    next_at: datetime | None


def plan(times: Timetable, planned: datetime, now: datetime, catch_up: str, within: timedelta) -> Plan:
    """What a schedule that was due at `planned` does at `now`, which is not before it."""
    due = times.due(planned, now)
    longest = GRACE if catch_up == CatchUp.NONE else within
    wanted = [at for at in due if now - at <= longest]
    wanted = wanted[-CATCH_UP_LIMIT:] if catch_up == CatchUp.ALL else wanted[-1:]
    later = wanted[AT_ONCE:]
    return Plan(wanted[:AT_ONCE], len(due) - len(wanted), later[0] if later else times.after(now))


def zones() -> list[str]:
    """Names of the time zones that this host knows."""
    return sorted(_zones())


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones() | {"UTC"})


def _zone(name: str) -> tzinfo:
    # Compared first: ZoneInfo takes a name for a path, and some names are folders.
    if name not in _zones():
        raise InvalidOption("timezone", "is no time zone that is known here", "Use an IANA name like Europe/Berlin.")
    return UTC if name == "UTC" else ZoneInfo(name)


def _check_cron(cron: str, zone: tzinfo) -> None:
    remedy = "Give minute, hour, day of month, month and day of week, as in '0 9 * * 1-5'."
    if len(cron) > 200 or not cron.isascii() or len(cron.split()) != 5:
        raise InvalidOption("cron", "has not five fields", remedy)
    try:
        found = next(CronSim(cron, datetime(2024, 1, 1, tzinfo=zone)), None)
    except (CronSimError, AssertionError) as exc:
        raise InvalidOption("cron", f"cannot be read ({str(exc).lower() or 'bad field'})", remedy) from exc
    if found is None:
        raise InvalidOption("cron", "names a day that never comes", remedy)
