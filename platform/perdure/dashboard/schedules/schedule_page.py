"""A schedule as pages show it."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from perdure.dashboard.documents import document_of
from perdure.dashboard.schedules.schedule_form import CATCH_UPS, OVERLAPS
from runs import clock, jobs
from runs.errors import RunsError
from runs.models import Run, Schedule

_OVERLAPS: dict[str, str] = {str(key): said for key, said in OVERLAPS}
_CATCH_UPS: dict[str, str] = {str(key): said for key, said in CATCH_UPS}
_LATE = timedelta(minutes=1)
_LOOKS = {"active": "completed", "paused": "paused", "failing": "failed", "over": "stopped"}


@dataclass(frozen=True)
class ScheduleCard:
    """`last_run` is None, too, where the reader may not see it or it is gone."""

    schedule: Schedule
    last_run: Run | None

    @property
    def look(self) -> str:
        return _LOOKS[self.schedule.status]

    @property
    def label(self) -> str:
        return self.schedule.status.capitalize()

    @property
    def is_late(self) -> bool:
        """Whether its time has passed and no worker has taken it."""
        return self.schedule.next_at is not None and clock.now() - self.schedule.next_at > _LATE

    @property
    def overlap(self) -> str:
        return _OVERLAPS[self.schedule.overlap]

    @property
    def catch_up(self) -> str:
        return _CATCH_UPS[self.schedule.catch_up]

    @property
    def what(self) -> str:
        """What it starts: a flow or a pipeline by its own name, else the job."""
        return document_of(self.schedule.job, self.schedule.input) or self.schedule.job

    @property
    def rhythm(self) -> str:
        """In words, as in "At 09:00 on Sunday"."""
        if self.schedule.at is not None:
            return f"Once, {_in_zone(self.schedule.at, self.schedule.timezone)}"
        return jobs.cron_in_words(self.schedule)

    @cached_property
    def times(self) -> list[tuple[str, datetime]]:
        """The next five, each as the clocks of the schedule's zone show it."""
        try:
            return [(_in_zone(at, self.schedule.timezone), at) for at in jobs.next_times(self.schedule)]
        except RunsError:
            return []  # a zone that this host does not know: the row says so once it was due


@dataclass(frozen=True)
class StatusChip:
    key: str
    label: str
    count: int


def status_chips(schedules: list[Schedule]) -> list[StatusChip]:
    """One for all, and one for each status that there is."""
    counts = Counter(schedule.status for schedule in schedules)
    of_status = [StatusChip(key, key.capitalize(), counts[key]) for key in _LOOKS if counts[key]]
    return [StatusChip("", "All", len(schedules)), *of_status]


def cards(user: Any, schedules: list[Schedule]) -> list[ScheduleCard]:
    """One query for the last runs of all of them."""
    ids = [schedule.last_run for schedule in schedules if schedule.last_run]
    runs = {run.pk: run for run in jobs.visible_runs(user).filter(pk__in=ids)}
    return [ScheduleCard(one, runs.get(one.last_run) if one.last_run else None) for one in schedules]


def _in_zone(at: datetime, zone: str) -> str:
    local = at.astimezone(ZoneInfo(zone)) if zone in jobs.zones() else at
    return local.strftime("%a %d %b %Y, %H:%M %Z")
