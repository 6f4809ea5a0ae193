"""The pages of schedules: made by a form, shown with their next times, changed and stopped."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client

from perdure.dashboard.forms.schema_form import RAW
from runs import clock, jobs
from runs.definitions import registry
from runs.models import Audit, Run, Schedule
from runs.testing import temporary_jobs

SignedIn = Callable[..., Client]
WHEN = {
    "when-name": "nightly", "when-kind": "cron", "when-cron": "0 3 * * *", "when-timezone": "Europe/Berlin",
    "when-overlap": "queue", "when-catch_up": "all", "when-catch_up_within": "12", "when-priority": "0",
}  # fmt: skip
ORDER = {"title": "Box", "count": "2", "address.street": "Main", "address.number": "7", "size": "small"}


@pytest.fixture
def client(owner: User, signed_in: SignedIn) -> Client:
    return signed_in(owner)


@pytest.fixture
def schedule(owner: User, team: Group) -> Schedule:
    order = {"title": "Box", "count": 2, "address": {"street": "Main", "number": 7}, "tags": ["a", "b"],
             "password": "hunter2", "at": "2026-02-03T04:05:06Z", "sizes": ["large"]}  # fmt: skip
    spec = jobs.ScheduleSpec(name="hourly", job="page-order", input=order, cron="0 * * * *", team=team)
    return jobs.create_schedule(spec, owner=owner)


def test_a_form_makes_a_schedule_and_shows_its_next_times(client: Client, owner: User, team: Group) -> None:
    assert client.get("/schedules/new/").status_code == 200
    fields = WHEN | ORDER | {"when-team": str(team.pk), "when-labels": "kind=report\n\nwho = me"}
    answer = client.post("/schedules/new/page-order/", fields)
    made = Schedule.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, f"/schedules/{made.pk}/")
    assert (made.owner, made.team, made.labels) == (owner, team, {"kind": "report", "who": "me"})
    assert (made.overlap, made.catch_up, made.catch_up_seconds) == ("queue", "all", 12 * 3600)
    assert made.input["address"] == {"street": "Main", "number": 7, "note": None}
    page = client.get(f"/schedules/{made.pk}/")
    times = [text for text, _ in page.context["card"].times]
    assert len(times) == 5
    assert all(text.endswith((", 03:00 CET", ", 03:00 CEST")) for text in times)
    assert "At 03:00" in page.content.decode()


def test_the_one_time_is_read_in_the_time_zone_of_the_form(client: Client) -> None:
    fields = WHEN | {"when-kind": "once", "when-at": "2090-07-01T09:30"}
    assert client.post("/schedules/new/page-nothing/", fields).status_code == 302
    made = Schedule.objects.get()
    assert made.at is not None
    assert (made.cron, made.at.isoformat()) == ("", "2090-07-01T07:30:00+00:00")
    form = client.get(f"/schedules/{made.pk}/edit/").content.decode()
    assert 'value="2090-07-01T09:30"' in form


def test_an_old_one_off_can_be_renamed_and_its_seconds_stay(client: Client, owner: User) -> None:
    at = clock.now() + timedelta(seconds=90)
    within = timedelta(minutes=5)
    spec = jobs.ScheduleSpec(name="once", job="page-nothing", at=at, timezone="Asia/Tokyo", catch_up_within=within)
    made = jobs.create_schedule(spec, owner=owner)
    Schedule.objects.update(next_at=None, last_at=at, at=(past := at - timedelta(hours=1)))
    page = client.get(f"/schedules/{made.pk}/edit/")
    sent = {f"when-{field.name}": field.value() for field in page.context["when"] if field.value() is not None}
    sent["when-at"] = f"{sent['when-at']:%Y-%m-%dT%H:%M}"
    assert client.post(f"/schedules/{made.pk}/edit/", sent | {"when-name": "then"}).status_code == 302
    made.refresh_from_db()
    assert (made.name, made.at, made.catch_up_seconds, made.status) == ("then", past, 300, "over")
    refused = client.post(
        f"/schedules/{made.pk}/edit/", sent | {"when-timezone": "Europe/Berlin", "when-at": "2020-01-01T00:00"}
    )
    assert "has passed" in " ".join(refused.context["when"].errors["at"])


@pytest.mark.parametrize(
    ("wrong", "field", "said"),
    [
        ({"when-cron": "* * *"}, "cron", "five fields"),
        ({"when-cron": ""}, "cron", "required"),
        ({"when-kind": "once"}, "at", "required"),
        ({"when-kind": "once", "when-at": "2020-01-01T00:00"}, "at", "has passed"),
        ({"when-kind": "once", "when-at": "9999-12-31T23:59"}, "at", "too far away"),
        ({"when-timezone": "Moon/Base"}, "timezone", "no time zone"),
        ({"when-timezone": "../etc/passwd"}, "timezone", "no time zone"),
        ({"when-name": ""}, "name", "required"),
        ({"when-name": "taken"}, "name", "use another name"),
        ({"when-labels": "no sign"}, "labels", "name=value"),
        ({"when-catch_up_within": "1000"}, "catch_up_within", "less than or equal"),
        ({"when-overlap": "maybe"}, "overlap", "not one of the available"),
        ({"when-team": "999999"}, "team", "not one of the available"),
    ],
)
def test_a_wrong_value_is_told_at_its_field_and_makes_nothing(
    wrong: dict[str, str], field: str, said: str, client: Client, owner: User
) -> None:
    jobs.create_schedule(jobs.ScheduleSpec(name="taken", job="page-nothing", cron="0 3 * * *"), owner=owner)
    answer = client.post("/schedules/new/page-nothing/", WHEN | wrong)
    assert answer.status_code == 400
    assert said in " ".join(answer.context["when"].errors[field])
    assert Schedule.objects.count() == 1


def test_a_wrong_input_is_told_at_its_field(client: Client) -> None:
    answer = client.post("/schedules/new/page-order/", WHEN | ORDER | {"title": "SHOUT"})
    assert answer.status_code == 400
    assert "write it normally" in answer.content.decode()
    raw = client.post("/schedules/new/page-order/?json", WHEN | {RAW: '{"title": 1}'})
    assert raw.status_code == 400
    assert not Schedule.objects.exists()


def test_the_form_of_a_change_is_filled_and_keeps_the_secrets(client: Client, schedule: Schedule) -> None:
    page = client.get(f"/schedules/{schedule.pk}/edit/")
    form, when = page.context["form"], page.context["when"]
    assert "hunter2" not in page.content.decode()
    sent = {f"when-{field.name}": field.value() for field in when}
    sent |= dict(form.as_sent().lists())
    sent = {name: value for name, value in sent.items() if value is not None and value is not False}
    before = dict(schedule.input)
    changed = client.post(f"/schedules/{schedule.pk}/edit/", sent | {"when-cron": "5 4 * * *", "count": "3"})
    assert changed.status_code == 302, (changed.context["when"].errors, changed.context["form"].errors)
    schedule.refresh_from_db()
    assert schedule.cron == "5 4 * * *"
    assert schedule.input == before | {"count": 3, "at": schedule.input["at"]}
    assert schedule.input["at"].startswith("2026-02-03T04:05:06")
    assert schedule.input["password"] == "hunter2"


def test_a_colleague_changes_the_times_but_not_the_input_beside_its_secrets(
    member: User, schedule: Schedule, signed_in: SignedIn
) -> None:
    client, path = signed_in(member), f"/schedules/{schedule.pk}/edit/?json"
    page = client.get(path)
    sent = {f"when-{field.name}": field.value() for field in page.context["when"] if field.value() is not None}
    text = json.loads(page.context["form"][RAW].value())
    times = client.post(path, sent | {"when-cron": "5 4 * * *", RAW: json.dumps(text)})
    assert times.status_code == 302, times.context["form"].errors
    schedule.refresh_from_db()
    assert (schedule.cron, schedule.input["password"]) == ("5 4 * * *", "hunter2")
    elsewhere = client.post(path, sent | {RAW: json.dumps(text | {"title": "Other"})})
    assert elsewhere.status_code == 400
    assert "Give it again" in elsewhere.content.decode()
    schedule.refresh_from_db()
    assert schedule.input["title"] == "Box"


def test_a_secret_in_json_is_kept_where_it_is_shown_masked(client: Client, schedule: Schedule) -> None:
    page = client.get(f"/schedules/{schedule.pk}/edit/?json")
    sent = {f"when-{field.name}": field.value() for field in page.context["when"] if field.value() is not None}
    text = json.loads(page.context["form"][RAW].value())
    assert text["password"] == "***"
    answer = client.post(f"/schedules/{schedule.pk}/edit/?json", sent | {RAW: json.dumps(text | {"count": 9})})
    assert answer.status_code == 302, answer.context["form"].errors
    schedule.refresh_from_db()
    assert (schedule.input["password"], schedule.input["count"]) == ("hunter2", 9)


def test_without_its_job_the_times_can_still_be_changed(client: Client, schedule: Schedule) -> None:
    with temporary_jobs():
        registry._jobs = {}
        page = client.get(f"/schedules/{schedule.pk}/edit/")
        assert "is not registered here" in page.content.decode()
        assert client.get(f"/schedules/{schedule.pk}/").status_code == 200
        answer = client.post(f"/schedules/{schedule.pk}/edit/", WHEN)
        assert answer.status_code == 302
    schedule.refresh_from_db()
    assert (schedule.cron, schedule.input["password"]) == ("0 3 * * *", "hunter2")


def test_a_schedule_is_paused_resumed_run_and_deleted(client: Client, schedule: Schedule) -> None:
    path = f"/schedules/{schedule.pk}/"
    assert "The schedule is paused." in client.post(path + "pause/", follow=True).content.decode()
    assert client.get(path).context["card"].label == "Paused"
    assert "The schedule goes on." in client.post(path + "resume/", follow=True).content.decode()
    started = client.post(path + "run/")
    assert started["Location"] == f"/runs/{Run.objects.get().pk}/"
    busy = client.post(path + "run/", follow=True).content.decode()
    assert "is under way" in busy
    assert "Delete this schedule?" in client.get(path + "delete/").content.decode()
    assert client.post(path + "delete/")["Location"] == "/schedules/"
    actions = set(Audit.objects.filter(target=str(schedule.pk), actor_name="olga").values_list("action", flat=True))
    assert actions == {f"schedule.{what}" for what in ("pause", "resume", "trigger", "delete")}


def test_what_went_wrong_is_shown(client: Client, schedule: Schedule) -> None:
    error = {"code": "job_not_found", "message": "There is no job 'x'.", "at": "2026-01-01T00:00:00Z"}
    Schedule.objects.update(error=error, failed=2, skipped=3, last_skipped_at=clock.now(), timezone="Gone/Nowhere")
    for path in ("/schedules/", f"/schedules/{schedule.pk}/"):
        page = client.get(path).content.decode()
        assert "Failing" in page
        assert "There is no job" in page
    Schedule.objects.update(next_at=None, is_paused=True)
    assert client.get("/schedules/").status_code == 200


def test_a_schedule_may_begin_with_a_preset(client: Client, owner: User, stranger: User) -> None:
    preset = jobs.create_preset(
        "boxes",
        "page-order",
        {"title": "Crate", "count": 1, "address": {"street": "Main", "number": 7}, "password": "hunter2"},
        labels={"kind": "box"},
        owner=owner,
    )
    path = f"/schedules/new/page-order/?preset={preset.pk}"
    page = client.get(path)
    assert page.context["form"]["title"].value() == "Crate"
    assert page.context["when"]["labels"].value() == "kind=box"
    assert "hunter2" not in page.content.decode()
    assert client.post(path, WHEN | ORDER).status_code == 302
    assert Schedule.objects.get().input["password"] == "hunter2"
    others = jobs.create_preset("theirs", "page-order", preset.input, owner=stranger)
    for wrong in (others.pk, "x", ""):
        assert client.get(f"/schedules/new/page-order/?preset={wrong}").status_code == 404
    assert client.get(f"/schedules/new/page-nothing/?preset={preset.pk}").status_code == 404


PAGES = ["", "edit/", "delete/"]
ACTIONS = ["edit", "pause", "resume", "run", "delete"]


@pytest.mark.parametrize("path", PAGES)
def test_a_schedule_shows_to_its_team_and_does_not_exist_for_others(
    path: str, schedule: Schedule, member: User, stranger: User, signed_in: SignedIn
) -> None:
    address = f"/schedules/{schedule.pk}/{path}"
    assert Client().get(address).status_code == 302
    assert signed_in(stranger).get(address).status_code == 404
    assert signed_in(member).get(address).status_code == 200


@pytest.mark.parametrize("action", ACTIONS)
def test_nobody_else_can_change_a_schedule(
    action: str, schedule: Schedule, member: User, stranger: User, signed_in: SignedIn
) -> None:
    address = f"/schedules/{schedule.pk}/{action}/"
    assert Client().post(address, WHEN).status_code == 302
    assert signed_in(stranger).post(address, WHEN).status_code == 404
    assert signed_in(member, enforce_csrf_checks=True).post(address, WHEN).status_code == 403
    kept = Schedule.objects.get()
    assert (kept.cron, kept.is_paused, Run.objects.count()) == ("0 * * * *", False, 0)


def test_lists_hold_only_what_one_may_see(
    schedule: Schedule, member: User, stranger: User, signed_in: SignedIn
) -> None:
    assert Client().get("/schedules/")["Location"] == "/sign-in/?next=/schedules/"
    assert str(schedule.pk) in signed_in(member).get("/schedules/").content.decode()
    assert str(schedule.pk) not in signed_in(stranger).get("/schedules/").content.decode()


def test_a_schedule_given_away_leads_back_to_the_list(
    owner: User, team: Group, member: User, signed_in: SignedIn
) -> None:
    spec = jobs.ScheduleSpec(name="nightly", job="page-nothing", cron="0 3 * * *", team=team)
    made = jobs.create_schedule(spec, owner=owner)
    answer = signed_in(member).post(f"/schedules/{made.pk}/edit/", WHEN | {"when-team": ""})
    assert (answer.status_code, answer["Location"]) == (302, "/schedules/")


def test_a_schedule_taken_from_its_team_with_another_input_is_theirs_who_changed_it(
    schedule: Schedule, member: User, signed_in: SignedIn
) -> None:
    answer = signed_in(member).post(
        f"/schedules/{schedule.pk}/edit/", WHEN | ORDER | {"when-team": "", "password": "own"}
    )
    assert (answer.status_code, answer["Location"]) == (302, f"/schedules/{schedule.pk}/")
    schedule.refresh_from_db()
    assert (schedule.owner, schedule.team) == (member, None)


def test_many_schedules_are_listed_with_few_queries(
    client: Client, owner: User, django_assert_max_num_queries: Any
) -> None:
    for number in range(20):
        at = clock.now() + timedelta(days=number + 1)
        made = jobs.create_schedule(jobs.ScheduleSpec(name=f"s{number}", job="page-nothing", at=at), owner=owner)
        jobs.trigger_schedule(made.pk)
    with django_assert_max_num_queries(12):
        assert client.get("/schedules/").content.decode().count("data-schedule") == 20
