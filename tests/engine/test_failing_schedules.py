"""What keeps a schedule from starting a run shows on its row, and stops neither the driver nor the next time."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, User

from runs import clock, jobs
from runs.definitions import registry
from runs.engine.store import firing
from runs.jobs import Job, ScheduleSpec, StepContext, job
from runs.models import Run, Schedule
from runs.testing import advance, drain, temporary_jobs
from tests.engine.scheduling import HOUR, fire, hourly, pass_to_next, register_double


@pytest.fixture
def double() -> Job:
    return register_double()


def test_a_job_that_is_gone_shows_on_the_row_and_comes_back_with_the_job(double: Job) -> None:
    with temporary_jobs():
        registry._jobs = {}
        schedule = hourly_of_double()
        pass_to_next(schedule)
        assert fire() == 0, "another driver may have the job"
        advance(firing.FOREIGN_AFTER)
        assert fire() == 1
        assert fire() == 0, "it is not tried again before its next time"
        schedule.refresh_from_db()
        assert (schedule.status, schedule.failed, schedule.error["code"]) == ("failing", 1, "job_not_found")
    pass_to_next(schedule)
    drain()
    schedule.refresh_from_db()
    assert (schedule.status, schedule.error, Run.objects.count()) == ("active", None, 1)


def test_an_input_that_fits_no_longer_shows_on_the_row(double: Job) -> None:
    schedule = hourly()
    once = jobs.create_schedule(ScheduleSpec(name="once", job="double", input=1, at=clock.now() + timedelta(minutes=1)))
    Schedule.objects.update(input="no number")
    advance(HOUR)
    assert drain() == []
    for row in (schedule, once):
        row.refresh_from_db()
        assert row.status == "failing"
        assert row.error["code"] == "invalid_input"
    assert (once.next_at, schedule.next_at is not None) == (None, True)
    mended = jobs.change_schedule(schedule.id, {"input": 3})
    assert (mended.error, mended.status) == (None, "active")


def test_code_that_breaks_while_it_reads_the_input_shows_on_the_row() -> None:
    broken = []

    class Odd(int):
        @classmethod
        def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
            from pydantic_core import core_schema

            return core_schema.no_info_plain_validator_function(cls._read)

        @classmethod
        def _read(cls, value: Any) -> int:
            if broken:
                raise KeyError("a table")
            return int(value)

    @job("odd")
    async def odd(step: StepContext, number: Odd) -> None: ...

    schedule = hourly("odd", 1)
    broken.append(True)
    pass_to_next(schedule)
    assert drain() == []
    schedule.refresh_from_db()
    assert schedule.error["code"] == "internal_error"
    assert "KeyError" in schedule.error["message"]


def test_a_zone_that_this_host_does_not_know_stops_the_schedule_visibly(double: Job) -> None:
    schedule = hourly()
    pass_to_next(schedule)
    Schedule.objects.update(timezone="Gone/Nowhere")
    assert drain() == []
    schedule.refresh_from_db()
    assert (schedule.status, schedule.next_at, schedule.error["code"]) == ("failing", None, "invalid_option")
    jobs.change_schedule(schedule.id, {"timezone": "UTC"})
    pass_to_next(schedule)
    assert len(drain()) == 1


def test_a_schedule_of_a_deactivated_owner_without_a_team_starts_nothing(double: Job) -> None:
    owner = User.objects.create_user("olga")
    team = Group.objects.create(name="night")
    alone = jobs.create_schedule(ScheduleSpec(name="alone", job="double", input=1, cron="0 * * * *"), owner=owner)
    shared = jobs.create_schedule(
        ScheduleSpec(name="shared", job="double", input=1, cron="0 * * * *", team=team), owner=owner
    )
    User.objects.update(is_active=False)
    pass_to_next(alone)
    drain()
    alone.refresh_from_db()
    assert alone.error["code"] == "owner_inactive"
    assert [run.team for run in Run.objects.all()] == [team]
    assert Schedule.objects.get(id=shared.id).error is None


def test_the_runs_of_a_schedule_whose_owner_left_the_team_are_the_teams_alone(double: Job) -> None:
    owner, team = User.objects.create_user("olga"), Group.objects.create(name="night")
    owner.groups.add(team)
    made = jobs.create_schedule(ScheduleSpec(name="s", job="double", input=1, cron="0 * * * *", team=team), owner=owner)
    pass_to_next(made)
    drain()
    owner.groups.clear()
    pass_to_next(made)
    drain()
    before, after = Run.objects.order_by("id")
    assert [(run.owner, run.team, run.status) for run in (before, after)] == [
        (owner, team, "completed"),
        (None, team, "completed"),
    ]
    assert list(jobs.visible_runs(owner)) == [before]
    assert Schedule.objects.get(id=made.id).error is None


def hourly_of_double() -> Schedule:
    """A row whose job is not registered here, as a schedule is after a deploy without its job."""
    now = clock.now()
    at = now.replace(minute=0, second=0, microsecond=0) + HOUR
    return Schedule.objects.create(
        name="gone", job="double", input=1, cron="0 * * * *", created_at=now, changed_at=now, next_at=at
    )
