"""What the doors of schedules and presets answer."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import Field

from runs import jobs
from runs.api.shapes import Page, Shape
from runs.errors import RunsError
from runs.models import CatchUp, Overlap, Preset, Schedule


class ScheduleErrorShape(Shape):
    """Why no run could be started the last time."""

    code: str
    message: str
    at: datetime


class ScheduleShape(Shape):
    """When a job is started by itself."""

    id: UUID
    name: str
    job: str
    version: str | None = Field(description="Null: the newest at that time.")
    input: Any = Field(description="Secrets are shown as ***.")
    labels: dict[str, str]
    queue: str | None
    priority: int
    kind: Literal["cron", "once"]
    cron: str | None
    timezone: str
    at: datetime | None
    overlap: Overlap
    catch_up: CatchUp
    catch_up_within: int = Field(description="Seconds.")
    paused: bool
    status: Literal["active", "paused", "failing", "over"]
    owner: str | None = Field(description="User name.")
    team: str | None = Field(description="Name of the team whose members see and change it.")
    next_at: datetime | None = Field(description="Null: paused, or over.")
    next_times: list[datetime] = Field(description="The next five, in UTC.")
    last_at: datetime | None = Field(description="The time of the last run that it started.")
    last_run: UUID | None
    skipped: int = Field(description="Times at which a run was still under way.")
    last_skipped_at: datetime | None
    missed: int = Field(description="Times that passed without a worker and are not made up for.")
    last_missed_at: datetime | None
    failed: int = Field(description="Times at which no run could be started.")
    error: ScheduleErrorShape | None
    created_at: datetime
    changed_at: datetime

    @classmethod
    def of(cls, schedule: Schedule) -> dict[str, Any]:
        """`schedule` as JSON; its owner and team are read, so select them with it."""
        same = (
            *("id", "name", "job", "labels", "priority", "timezone", "at", "overlap", "catch_up", "status", "next_at"),
            *("last_at", "last_run", "skipped", "last_skipped_at", "missed", "last_missed_at", "failed", "error"),
            *("created_at", "changed_at"),
        )
        return cls(
            **{name: getattr(schedule, name) for name in same},
            **_common(schedule),
            version=schedule.job_version or None,
            queue=schedule.queue or None,
            kind="cron" if schedule.cron else "once",
            cron=schedule.cron or None,
            catch_up_within=schedule.catch_up_seconds,
            paused=schedule.is_paused,
            next_times=_next_times(schedule),
        ).as_json()


class SchedulePage(Page[ScheduleShape]):
    """A page of schedules, newest first."""


class PresetShape(Shape):
    """A job with an input and labels, under a name."""

    id: UUID
    name: str
    job: str
    input: Any = Field(description="Secrets are shown as ***.")
    labels: dict[str, str]
    owner: str | None = Field(description="User name.")
    team: str | None = Field(description="Name of the team whose members see, start and change it.")
    created_at: datetime
    changed_at: datetime

    @classmethod
    def of(cls, preset: Preset) -> dict[str, Any]:
        """`preset` as JSON; its owner and team are read, so select them with it."""
        same = ("id", "name", "job", "labels", "created_at", "changed_at")
        return cls(**{name: getattr(preset, name) for name in same}, **_common(preset)).as_json()


class PresetPage(Page[PresetShape]):
    """A page of presets, newest first."""


def _common(row: Schedule | Preset) -> dict[str, Any]:
    return {
        "input": jobs.redact(row.input, row.secrets),
        "owner": row.owner.get_username() if row.owner else None,
        "team": row.team.name if row.team else None,
    }


def _next_times(schedule: Schedule) -> list[datetime]:
    try:
        return jobs.next_times(schedule)
    except RunsError:
        return []  # a zone that this host does not know; the next firing puts it on the row
