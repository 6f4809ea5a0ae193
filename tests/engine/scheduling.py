"""Schedules of the tests, and jobs for them."""

from datetime import timedelta
from typing import Any

from runs import clock, jobs
from runs.engine.store import firing
from runs.jobs import Job, ScheduleSpec, StepContext, job
from runs.models import Schedule
from runs.testing import advance

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def register_double() -> Job:
    @job("double")
    async def doubled(step: StepContext, number: int) -> int:
        return number * 2

    return doubled


def register_wait() -> Job:
    @job("wait-for-it")
    async def wait(step: StepContext) -> str:
        return str(await step.wait_for_signal("go"))

    return wait


def hourly(job: str = "double", input: Any = 4, **options: Any) -> Schedule:
    spec = {"name": "hourly", "job": job, "input": input, "cron": "0 * * * *"}
    return jobs.create_schedule(ScheduleSpec(**{**spec, **options}))


def fire() -> int:
    return firing.fire_due([one.key for one in jobs.all_jobs()])


def pass_to_next(schedule: Schedule) -> None:
    """Move the clock to the moment when it is due."""
    schedule.refresh_from_db()
    assert schedule.next_at is not None
    advance(schedule.next_at - clock.now() + timedelta(milliseconds=1))
