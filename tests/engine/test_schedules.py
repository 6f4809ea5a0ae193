"""Schedules start runs by themselves: once for each time, however many drivers look."""

import threading
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.db import connections

from runs import clock, jobs
from runs.definitions import registry
from runs.engine.store import firing
from runs.errors import InvalidInput, InvalidOption, JobNotFound
from runs.jobs import Job, ScheduleSpec, StepContext, job
from runs.models import Audit, Event, Run, Schedule
from runs.schedule_errors import NameTaken, ScheduleBusy, ScheduleNotFound, ScheduleOver
from runs.testing import advance, drain, temporary_jobs

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def double() -> Job:
    @job("double")
    async def doubled(step: StepContext, number: int) -> int:
        return number * 2

    return doubled


@pytest.fixture
def wait_for_it() -> Job:
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


def test_a_schedule_starts_a_run_at_each_of_its_times(double: Job) -> None:
    schedule = hourly(labels={"kind": "test"}, priority=7)
    assert drain() == [], "it is not due yet"
    for _ in range(3):
        pass_to_next(schedule)
        planned = schedule.next_at
        assert len(drain()) == 1
        schedule.refresh_from_db()
        run = Run.objects.get(id=schedule.last_run)
        assert (run.output, run.labels, run.priority, run.run_at) == (8, {"kind": "test"}, 7, planned)
        assert (schedule.last_at, schedule.error) == (planned, None)
        assert schedule.next_at == planned + HOUR
    queued = Event.objects.filter(type="run:queued").last()
    assert queued.data["actor"] == {"kind": "schedule", "id": str(schedule.id), "name": "hourly"}
    assert drain() == []


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


def test_many_drivers_that_look_at_once_start_each_time_once(double: Job) -> None:
    schedules = [hourly(name=f"s{number}", catch_up="all") for number in range(3)]
    advance(4 * HOUR)
    start, failures = threading.Barrier(6), []

    def drive() -> None:
        try:
            start.wait()
            for _ in range(4):
                fire()
        except BaseException as exc:
            failures.append(exc)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=drive) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    while fire():
        pass
    assert not failures
    for schedule in schedules:
        schedule.refresh_from_db()
        runs = Run.objects.filter(idempotency_key__startswith=schedule.concurrency_key)
        # the others of a schedule that skips found the first one under way
        assert (runs.count(), schedule.skipped, schedule.missed) == (1, 3, 0)


def test_a_time_that_was_started_already_is_not_started_again(double: Job) -> None:
    schedule = hourly()
    pass_to_next(schedule)
    planned = schedule.next_at
    drain()
    Schedule.objects.update(next_at=planned)
    drain()
    assert Run.objects.count() == 1


def test_overlap_skip_says_what_it_skipped(wait_for_it: Job) -> None:
    schedule = hourly("wait-for-it", None)
    for _ in range(3):
        pass_to_next(schedule)
        drain()
    schedule.refresh_from_db()
    assert (Run.objects.count(), schedule.skipped) == (1, 2)
    assert schedule.last_skipped_at == schedule.next_at - HOUR
    jobs.signal(schedule.last_run, "go")
    drain()
    pass_to_next(schedule)
    drain()
    assert Run.objects.count() == 2


def test_overlap_queue_runs_one_after_the_other_in_order(wait_for_it: Job) -> None:
    @job("released", concurrency=jobs.Concurrency(limit=5, release_while_waiting=True))
    async def released(step: StepContext) -> str:
        return str(await step.wait_for_signal("go"))

    schedule = hourly("released", None, overlap="queue")
    for _ in range(3):
        pass_to_next(schedule)
        drain()
    runs = list(Run.objects.order_by("run_at"))
    for place, run in enumerate(runs):
        found = list(Run.objects.order_by("run_at").values_list("status", flat=True))
        assert found == ["completed"] * place + ["waiting"] + ["queued"] * (2 - place)
        jobs.signal(run.id, "go")
        drain()
    assert Schedule.objects.get().skipped == 0


def test_a_queue_has_a_bound(wait_for_it: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(firing, "QUEUE_LIMIT", 2)
    schedule = hourly("wait-for-it", None, overlap="queue")
    for _ in range(4):
        pass_to_next(schedule)
        fire()
    schedule.refresh_from_db()
    assert (Run.objects.count(), schedule.skipped) == (2, 2)


def test_overlap_allow_runs_side_by_side(wait_for_it: Job) -> None:
    schedule = hourly("wait-for-it", None, overlap="allow")
    for _ in range(3):
        pass_to_next(schedule)
        drain()
    assert list(Run.objects.values_list("status", flat=True)) == ["waiting"] * 3


@pytest.mark.parametrize(("catch_up", "started", "missed"), [("none", 0, 5), ("last", 1, 4), ("all", 5, 0)])
def test_what_was_missed_is_made_up_for_as_the_schedule_says(
    double: Job, catch_up: str, started: int, missed: int
) -> None:
    schedule = hourly(catch_up=catch_up, overlap="allow")
    pass_to_next(schedule)
    advance(4 * HOUR + timedelta(minutes=5))
    drain()
    schedule.refresh_from_db()
    assert (Run.objects.count(), schedule.missed) == (started, missed)
    assert (schedule.last_missed_at is not None) == bool(missed)
    assert schedule.next_at is not None
    assert clock.now() < schedule.next_at <= clock.now() + HOUR


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


def hourly_of_double() -> Schedule:
    """A row whose job is not registered here, as a schedule is after a deploy without its job."""
    now = clock.now()
    at = now.replace(minute=0, second=0, microsecond=0) + HOUR
    return Schedule.objects.create(
        name="gone", job="double", input=1, cron="0 * * * *", created_at=now, changed_at=now, next_at=at
    )
