"""Schedules are made, changed, paused, started by hand and deleted; what could not start a run is refused."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import User

from runs import clock, jobs
from runs.errors import (
    InvalidInput,
    InvalidOption,
    JobNotFound,
    NameTaken,
    ScheduleBusy,
    ScheduleNotFound,
    ScheduleOver,
)
from runs.jobs import Job, ScheduleSpec
from runs.models import Audit, Schedule
from runs.testing import advance, drain
from tests.engine.scheduling import DAY, HOUR, hourly, register_double, register_wait


@pytest.fixture
def double() -> Job:
    return register_double()


@pytest.fixture
def wait_for_it() -> Job:
    return register_wait()


def test_a_one_off_starts_one_run_and_is_over(double: Job) -> None:
    at = clock.now() + DAY
    schedule = jobs.create_schedule(ScheduleSpec(name="once", job="double", input=1, at=at))
    assert jobs.next_times(schedule) == [at]
    advance(DAY)
    assert len(drain()) == 1
    advance(10 * DAY)
    assert drain() == []
    schedule.refresh_from_db()
    assert (schedule.status, schedule.next_at, jobs.next_times(schedule)) == ("over", None, [])
    with pytest.raises(ScheduleOver):
        jobs.resume_schedule(schedule.id)
    again = jobs.change_schedule(schedule.id, {"at": clock.now() + DAY})
    assert again.status == "active"


def test_a_pause_starts_nothing_and_is_not_made_up_for(double: Job) -> None:
    schedule = hourly(catch_up="all")
    assert jobs.pause_schedule(schedule.id).status == "paused"
    assert jobs.next_times(jobs.pause_schedule(schedule.id)) == []
    advance(5 * HOUR)
    assert drain() == []
    resumed = jobs.resume_schedule(schedule.id)
    assert resumed.next_at is not None
    assert resumed.next_at > clock.now()
    assert drain() == []
    assert (resumed.missed, resumed.status) == (0, "active")
    assert list(Audit.objects.values_list("action", flat=True).order_by("id")) == [
        "schedule.create",
        "schedule.pause",
        "schedule.resume",
    ]


def test_a_run_can_be_started_by_hand_and_the_times_stay(wait_for_it: Job) -> None:
    schedule = hourly("wait-for-it", None)
    jobs.pause_schedule(schedule.id)
    first = jobs.trigger_schedule(schedule.id, idempotency_key="click")
    again = jobs.trigger_schedule(schedule.id, idempotency_key="click")
    assert (first.disposition, again.disposition, first.run.id) == ("created", "idempotent", again.run.id)
    with pytest.raises(ScheduleBusy) as met:
        jobs.trigger_schedule(schedule.id)
    assert met.value.details == {"run_id": str(first.run.id)}
    schedule.refresh_from_db()
    assert (schedule.last_run, schedule.is_paused, schedule.next_at) == (first.run.id, True, None)
    assert Audit.objects.filter(action="schedule.trigger").count() == 1


BAD = [
    ({"job": "no-such-job"}, JobNotFound),
    ({"version": "9"}, JobNotFound),
    ({"input": "x"}, InvalidInput),
    ({"cron": "* * *"}, InvalidOption),
    ({"timezone": "Nowhere"}, InvalidOption),
    ({"cron": "", "at": None}, InvalidOption),
    ({"name": ""}, InvalidOption),
    ({"name": "a\0b"}, InvalidOption),
    ({"overlap": "maybe"}, InvalidOption),
    ({"catch_up": "some"}, InvalidOption),
    ({"catch_up_within": timedelta(days=32)}, InvalidOption),
    ({"catch_up_within": timedelta(0)}, InvalidOption),
    ({"labels": {"a": 1}}, InvalidOption),
    ({"queue": "\n"}, InvalidOption),
    ({"priority": 2**40}, InvalidOption),
]


@pytest.mark.parametrize(("wrong", "kind"), BAD)
def test_a_schedule_that_could_not_start_a_run_is_refused(
    double: Job, wrong: dict[str, Any], kind: type[Exception]
) -> None:
    with pytest.raises(kind):
        hourly(**wrong)
    assert not Schedule.objects.exists()
    schedule = hourly()
    with pytest.raises(kind):
        jobs.change_schedule(schedule.id, wrong)
    before = dict(Schedule.objects.values().get(id=schedule.id))
    assert (before["changed_at"], before["job"]) == (schedule.changed_at, "double")


def test_a_time_in_the_past_and_a_name_in_use_are_refused(double: Job) -> None:
    with pytest.raises(InvalidOption, match="has passed"):
        jobs.create_schedule(ScheduleSpec(name="late", job="double", input=1, at=clock.now()))
    for far in (
        datetime(9999, 12, 31, 23, 59, tzinfo=UTC),
        datetime(9999, 12, 31, tzinfo=ZoneInfo("America/New_York")),
    ):
        with pytest.raises(InvalidOption, match="too far away"):
            jobs.create_schedule(ScheduleSpec(name="far", job="double", input=1, at=far))
    first = hourly()
    with pytest.raises(NameTaken):
        hourly()
    owner = User.objects.create_user("olga")
    jobs.create_schedule(ScheduleSpec(name="hourly", job="double", input=1, cron="0 * * * *"), owner=owner)
    other = hourly(name="other")
    with pytest.raises(NameTaken):
        jobs.change_schedule(other.id, {"name": "hourly"})
    with pytest.raises(InvalidOption):
        jobs.change_schedule(first.id, {"owner": owner})
    for action in (jobs.pause_schedule, jobs.resume_schedule, jobs.delete_schedule, jobs.trigger_schedule):
        with pytest.raises(ScheduleNotFound):
            action("nothing")


def test_changes_are_written_down_and_move_the_next_time(double: Job) -> None:
    schedule = hourly()
    changed = jobs.change_schedule(schedule.id, {"cron": "30 3 * * *", "timezone": "Asia/Tokyo"})
    assert changed.next_at is not None
    assert changed.next_at.strftime("%H:%M") == "18:30"
    renamed = jobs.change_schedule(schedule.id, {"name": "nightly"})
    assert (renamed.next_at, renamed.name) == (changed.next_at, "nightly")
    once = jobs.change_schedule(schedule.id, {"at": clock.now() + DAY})
    assert (once.cron, once.next_at) == ("", once.at)
    jobs.delete_schedule(schedule.id)
    actions = list(Audit.objects.filter(target=str(schedule.id)).values_list("action", "data").order_by("id"))
    assert [action for action, _ in actions] == ["schedule.create", *["schedule.change"] * 3, "schedule.delete"]
    assert actions[1][1] == {"changed": ["cron", "timezone"]}


def test_five_next_times_are_told(double: Job) -> None:
    schedule = hourly()
    found = jobs.next_times(schedule)
    assert len(found) == 5
    assert found[0] == schedule.next_at
    assert {later - earlier for earlier, later in pairwise(found)} == {HOUR}
