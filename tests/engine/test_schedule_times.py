"""When a schedule is due: cron in a time zone, changes of the clock, times that were missed."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runs.engine.schedules import AT_ONCE, CATCH_UP_LIMIT, GRACE, Timetable, plan, zones
from runs.errors import InvalidOption

DAY = timedelta(days=1)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def times(cron: str, after: str, count: int, zone: str = "UTC") -> list[str]:
    found = Timetable(cron, zone).upcoming(utc(after), count)
    return [at.strftime("%m-%d %H:%M") for at in found]


def test_cron_is_read_in_its_zone() -> None:
    assert times("0 9 * * 1-5", "2026-06-05 12:00", 2, "Europe/Berlin") == ["06-08 07:00", "06-09 07:00"]
    assert times("0 9 * * 1-5", "2026-12-04 12:00", 1, "Europe/Berlin") == ["12-07 08:00"]
    assert times("*/20 * * * *", "2026-01-01 00:00", 3) == ["01-01 00:20", "01-01 00:40", "01-01 01:00"]


def test_a_time_that_the_clock_leaves_out_comes_when_it_goes_on() -> None:
    """Berlin, 29 March 2026: 02:00 becomes 03:00, which is 01:00 UTC."""
    assert times("30 2 * * *", "2026-03-28 02:00", 2, "Europe/Berlin") == ["03-29 01:00", "03-30 00:30"]
    assert times("0,30 2 * * *", "2026-03-28 12:00", 2, "Europe/Berlin") == ["03-29 01:00", "03-30 00:00"]
    assert times("30 * * * *", "2026-03-29 00:00", 2, "Europe/Berlin") == ["03-29 00:30", "03-29 01:30"]


def test_a_time_that_the_clock_shows_twice_comes_once_and_hours_come_each() -> None:
    """Berlin, 25 October 2026: 03:00 becomes 02:00, so 02:30 is at 00:30 and at 01:30 UTC."""
    assert times("30 2 * * *", "2026-10-24 12:00", 2, "Europe/Berlin") == ["10-25 00:30", "10-26 01:30"]
    assert times("30 2 * * *", "2026-10-25 00:45", 1, "Europe/Berlin") == ["10-26 01:30"]
    assert times("45 2 * * *", "2026-10-25 01:15", 1, "Europe/Berlin") == ["10-26 01:45"], (
        "looked at in the second 02:15"
    )
    hours = ["10-25 00:30", "10-25 01:30", "10-25 02:30"]
    assert times("30 * * * *", "2026-10-24 23:45", 3, "Europe/Berlin") == hours


BAD_CRON = [
    *("", "hello", "* * * *", "0 * * * * *", "61 * * * *", "* 24 * * *", "* * 0 * *", "* * 31 2 *", "*/0 * * * *"),
    *("@daily", "5-1 * * * *", "* * * * MON#6", "* * * * ²L", "* * LW-3 * *", "\u0663 * * * *", "0 0 * 2 9"),
    *("1,,2 * * * *", "* " * 200),
]
BAD_ZONES = ["", "Mars/Olympus", "Europe", "../../etc/passwd", "/etc/localtime", "UTC\0", "europe/berlin"]


def test_a_bad_expression_and_an_unknown_zone_are_refused_by_name() -> None:
    for cron, zone, option in [*((bad, "UTC", "cron") for bad in BAD_CRON),
                               *(("0 9 * * *", bad, "timezone") for bad in BAD_ZONES)]:  # fmt: skip
        with pytest.raises(InvalidOption) as met:
            Timetable(cron, zone).check()
        assert met.value.option == option, (cron, zone)
        assert str(met.value).endswith(".")


def test_cron_or_one_time_and_not_both() -> None:
    Timetable("0 0 29 2 *", "UTC").check()
    Timetable("", "UTC", utc("2030-01-01 00:00")).check()
    for cron, at in (("", None), ("0 9 * * *", utc("2030-01-01 00:00"))):
        with pytest.raises(InvalidOption):
            Timetable(cron, "UTC", at).check()
    with pytest.raises(InvalidOption, match="no time zone"):
        Timetable("", "UTC", datetime(2030, 1, 1)).check()  # noqa: DTZ001


FIELD = st.text("0123456789*/-,LW#MONJAN", min_size=1, max_size=7)


@given(st.lists(FIELD, min_size=5, max_size=5).map(" ".join), st.sampled_from(["UTC", "Europe/Berlin"]))
@settings(max_examples=150, deadline=None)
def test_any_text_is_a_timetable_or_refused(cron: str, zone: str) -> None:
    try:
        Timetable(cron, zone).check()
    except InvalidOption:
        return
    assert Timetable(cron, zone).after(utc("2026-01-01 00:00")) is not None


@given(
    st.sampled_from(
        ["0 0 * * *", "30 0 * * *", "*/5 * * * *", "30 1,2 * * *", "15 */3 * * *", "0-59 0 * * *", "0 3 1 * *"]
    ),
    st.sampled_from([name for name in zones() if "/" in name]),
    st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)),  # noqa: DTZ001
)
@settings(max_examples=60, deadline=None)
def test_times_go_forward_in_every_zone(cron: str, zone: str, start: datetime) -> None:
    after = start.replace(tzinfo=UTC)
    found = Timetable(cron, zone).upcoming(after, 30)
    assert len(found) == 30
    assert all(one < other for one, other in zip([after, *found], found, strict=False))
    assert all(at.tzinfo is UTC and not at.second and not at.microsecond for at in found)


@given(
    st.sampled_from(["* * * * *", "*/7 * * * *", "0 9 * * 1-5", "0 0 1 * *"]),
    st.timedeltas(timedelta(0), timedelta(days=40)),
    st.sampled_from(["none", "last", "all"]),
    st.sampled_from([timedelta(minutes=1), timedelta(hours=3), timedelta(days=31)]),
)
@settings(max_examples=20, deadline=None)
def test_every_time_is_started_or_counted_as_missed(
    cron: str, late: timedelta, catch_up: str, within: timedelta
) -> None:
    timetable = Timetable(cron, "Europe/Berlin")
    planned = timetable.after(utc("2026-03-20 00:00"))
    assert planned is not None
    now = planned + late
    due = timetable.due(planned, now)
    started: list[datetime] = []
    missed, next_at = 0, planned
    while next_at <= now:
        found = plan(timetable, next_at, now, catch_up, within)
        assert len(found.start) <= AT_ONCE
        assert found.next_at is not None
        assert found.next_at > next_at
        started, missed, next_at = started + found.start, missed + found.missed, found.next_at
    assert len(started) + missed == len(due)
    assert started == sorted(set(started))
    assert set(started) <= set(due)
    assert len(started) <= (CATCH_UP_LIMIT if catch_up == "all" else 1)
    assert all(now - at <= (GRACE if catch_up == "none" else within) for at in started)
    assert next_at == timetable.after(now)


def test_what_was_missed_for_longer_than_a_month_is_given_up() -> None:
    found = plan(Timetable("0 0 1 * *", "UTC"), utc("2026-01-01 00:00"), utc("2026-06-10 00:00"), "all", 31 * DAY)
    assert (found.start, found.missed, found.next_at) == ([utc("2026-06-01 00:00")], 1, utc("2026-07-01 00:00"))


def test_a_one_off_is_due_once() -> None:
    at = utc("2026-06-01 12:00")
    once = Timetable("", "UTC", at)
    assert once.upcoming(at - DAY, 5) == [at]
    assert once.after(at) is None
    assert plan(once, at, at + timedelta(hours=2), "last", DAY) == plan(once, at, at, "none", DAY)
    assert plan(once, at, at + timedelta(hours=2), "none", DAY).missed == 1
