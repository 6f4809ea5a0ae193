"""Schedules start runs by themselves: once for each time, however many drivers look."""

import threading
from datetime import timedelta

import pytest
from django.db import connections

from runs import clock, jobs
from runs.engine.store import firing
from runs.jobs import Job, StepContext, job
from runs.models import Event, Run, Schedule
from runs.testing import advance, drain
from tests.engine.scheduling import HOUR, fire, hourly, pass_to_next, register_double, register_wait


@pytest.fixture
def double() -> Job:
    return register_double()


@pytest.fixture
def wait_for_it() -> Job:
    return register_wait()


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
