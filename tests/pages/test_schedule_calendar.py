"""The calendar of schedules: each run and each time to come on its day in the viewer's zone, clocks that change too."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import Group, User
from django.core.exceptions import BadRequest
from django.test import Client
from hypothesis import given, settings
from hypothesis import strategies as st

from perdure.dashboard.schedules import calendar_page, schedule_runs
from perdure.dashboard.schedules.calendar import Day, Moment, Month, arrange
from runs import clock, jobs
from runs.models import Run, Schedule

SignedIn = Callable[..., Client]
BERLIN = ZoneInfo("Europe/Berlin")
SOMEBODY = SimpleNamespace(pk=1, name="nightly")


def due(*texts: str) -> list[Moment]:
    return [Moment(datetime.fromisoformat(f"{text}+00:00"), SOMEBODY) for text in texts]


def times_on(days: list[Day], one: date) -> list[str]:
    return [text for day in days if day.date == one for entry in day.due for text in entry.times]


def test_an_hour_that_comes_twice_is_told_apart() -> None:
    moments = due("2026-10-25T00:30", "2026-10-25T01:30", "2026-10-26T00:30")
    days = arrange(Month(2026, 10), BERLIN, moments, date(2026, 10, 1))
    assert times_on(days, date(2026, 10, 25)) == ["02:30 CEST", "02:30 CET"]
    assert times_on(days, date(2026, 10, 26)) == ["01:30"]


def test_an_hour_that_is_skipped_moves_nothing_to_another_day() -> None:
    moments = due("2026-03-29T00:59", "2026-03-29T01:00", "2026-03-29T22:00")
    days = arrange(Month(2026, 3), BERLIN, moments, date(2026, 3, 1))
    assert times_on(days, date(2026, 3, 29)) == ["01:59 CET", "03:00 CEST"]
    assert times_on(days, date(2026, 3, 30)) == ["00:00"]


def test_a_month_begins_and_ends_with_the_midnights_of_the_zone() -> None:
    assert Month(2026, 10).start(BERLIN) == datetime(2026, 9, 30, 22, tzinfo=UTC)
    assert Month(2026, 10).end(BERLIN) == datetime(2026, 10, 31, 23, tzinfo=UTC)  # summer time has ended
    assert Month(2026, 10).end(BERLIN) - Month(2026, 10).start(BERLIN) == timedelta(days=31, hours=1)
    # in Beirut clocks have jumped over midnight itself
    gap = ZoneInfo("Asia/Beirut")
    assert Month(2018, 4).start(gap) < Month(2018, 4).end(gap) == Month(2018, 5).start(gap)


@settings(max_examples=30, deadline=None)
@given(st.integers(1970, 2999), st.integers(1, 12), st.sampled_from(["Europe/Berlin", "America/Havana", "Asia/Tokyo"]))
def test_months_meet_without_gap_and_their_days_are_whole_weeks(year: int, number: int, zone: str) -> None:
    month, there = Month(year, number), ZoneInfo(zone)
    assert month.end(there) == month.moved(1).start(there)
    assert month.moved(1).moved(-1) == month
    moments = [Moment(month.start(there), SOMEBODY), Moment(month.end(there) - timedelta(seconds=1), SOMEBODY)]
    days = arrange(month, there, moments, date(2000, 1, 1))
    assert len(days) % 7 == 0
    assert (days[0].date.weekday(), days[-1].date.weekday()) == (0, 6)
    shown = [day.date for day in days if not day.is_empty]
    assert shown == [month.first, month.moved(1).first - timedelta(days=1)]


@pytest.mark.parametrize("text", ["2026", "2026-13", "2026-00", "0000-01", "1969-12", "9999-12", "2026-1", "x"])
def test_what_is_no_month_is_refused(text: str) -> None:
    with pytest.raises(BadRequest):
        Month.of(text, date(2026, 1, 1))


@pytest.fixture
def make(owner: User, team: Group) -> Callable[..., Schedule]:
    def create(name: str = "nightly", **spec: Any) -> Schedule:
        values = {"cron": "0 3 * * *", "timezone": "Europe/Berlin", "team": team} | spec
        return jobs.create_schedule(jobs.ScheduleSpec(name=name, job="page-nothing", **values), owner=owner)

    return create


def entries(client: Client, query: str = "") -> dict[str, list[Any]]:
    days = client.get(f"/schedules/calendar/{query}").context["days"]
    return {
        "ran": [entry for day in days for entry in day.ran],
        "due": [entry for day in days for entry in day.due],
    }  # fmt: skip


def test_the_next_month_holds_each_time_once_as_the_zone_shows_it(
    make: Callable[..., Schedule], member: User, signed_in: SignedIn
) -> None:
    make()
    today = clock.now().astimezone(BERLIN).date()
    month = Month(today.year, today.month).moved(1)
    found = entries(signed_in(member), f"?month={month}&zone=Europe/Berlin")["due"]
    assert len(found) == (month.moved(1).first - month.first).days
    assert {entry.times[0][:5] for entry in found} == {"03:00"}
    tokyo = entries(signed_in(member), f"?month={month}&zone=Asia/Tokyo")["due"]
    assert {entry.times[0][:5] for entry in tokyo} <= {"10:00", "11:00"}


@pytest.mark.parametrize("overlap", ["skip", "allow"])
def test_what_ran_stands_on_its_day_with_its_status(
    overlap: str, make: Callable[..., Schedule], member: User, stranger: User, signed_in: SignedIn
) -> None:
    schedule = make(overlap=overlap)
    at = clock.now().replace(microsecond=0) - timedelta(minutes=1)
    key = f"schedule:{schedule.pk}"
    same = {"job": "page-nothing", "owner": schedule.owner, "team": schedule.team, "created_at": at, "due_at": at}
    for number, status in enumerate(("completed", "failed")):
        Run.objects.create(
            **same, run_at=at, status=status, idempotency_key=f"{key}:{number}",
            concurrency_key=key if overlap == "skip" else None,
        )  # fmt: skip
    Run.objects.create(**same, run_at=at, idempotency_key="of somebody else")
    client = signed_in(member)
    query = f"?month={at:%Y-%m}"
    (entry,) = entries(client, query)["ran"]
    assert (entry.count, entry.statuses) == (2, [("completed", 1), ("failed", 1)])
    assert client.get(f"/schedules/{schedule.pk}/").content.decode().count("data-run-status") == 2
    assert entries(signed_in(stranger), query) == {"ran": [], "due": []}


def test_what_cannot_be_drawn_is_said(
    make: Callable[..., Schedule], member: User, signed_in: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs.pause_schedule(make("paused").pk)
    schedule = make("each minute", cron="* * * * *", overlap="allow")
    now = clock.now()
    month = Month(now.year, now.month).moved(1)
    page = signed_in(member).get(f"/schedules/calendar/?month={month}")
    assert [card.schedule for card in page.context["frequent"]] == [schedule]
    assert "Too often to draw" in page.content.decode()
    assert all(day.is_empty for day in page.context["days"])
    jobs.start("page-nothing", owner=schedule.owner, team=schedule.team)
    monkeypatch.setattr(schedule_runs, "LOOKED_AT", 1)
    monkeypatch.setattr(calendar_page, "MOST_SCHEDULES", 1)
    page = signed_in(member).get("/schedules/calendar/")
    assert "not all of this month could be looked at" in page.content.decode()
    assert "The newest 1 schedules are drawn." in page.content.decode()


@pytest.mark.parametrize(
    "query", ["?month=x", "?zone=Moon/Base", "?zone=../../etc/passwd", "?zone=%00", "?zone=Europe"]
)
def test_a_wrong_address_is_refused(query: str, member: User, signed_in: SignedIn) -> None:
    assert signed_in(member).get(f"/schedules/calendar/{query}").status_code == 400


def test_the_calendar_is_for_who_is_signed_in_and_says_what_to_do_when_empty(member: User, signed_in: SignedIn) -> None:
    assert Client().get("/schedules/calendar/").status_code == 302
    page = signed_in(member).get("/schedules/calendar/").content.decode()
    assert "There are no schedules yet." in page
    assert "Make a schedule" in page
