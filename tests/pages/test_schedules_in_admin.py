"""Schedules and presets in the admin: shown with their next times; changed only through the engine."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from runs import jobs
from runs.models import Audit, Preset, Run, Schedule

SignedIn = Callable[..., Client]


@pytest.fixture
def schedule(owner: User) -> Schedule:
    return jobs.create_schedule(jobs.ScheduleSpec(name="nightly", job="page-nothing", cron="0 3 * * *"), owner=owner)


def act(client: Client, action: str, row: Any) -> str:
    path = f"/admin/runs/{row._meta.model_name}/"
    answer = client.post(path, {"action": action, "_selected_action": [str(row.pk)]}, follow=True)
    assert answer.status_code == 200
    return answer.content.decode()


def test_the_next_five_times_are_shown(schedule: Schedule, administrator: User, signed_in: SignedIn) -> None:
    page = signed_in(administrator).get(f"/admin/runs/schedule/{schedule.pk}/change/").content.decode()
    for at in jobs.next_times(schedule):
        assert f"{at:%Y-%m-%d %H:%M:%S}" in page
    Schedule.objects.update(timezone="Gone/Nowhere")
    page = signed_in(administrator).get(f"/admin/runs/schedule/{schedule.pk}/change/")
    assert "no time zone" in page.content.decode()


def test_schedules_are_paused_resumed_started_and_deleted(
    schedule: Schedule, administrator: User, signed_in: SignedIn
) -> None:
    client = signed_in(administrator)
    assert "1 paused." in act(client, "pause_schedules", schedule)
    assert Schedule.objects.get().is_paused
    assert "1 resumed." in act(client, "resume_schedules", schedule)
    assert not Schedule.objects.get().is_paused
    assert "1 started." in act(client, "run_now", schedule)
    assert "is under way" in act(client, "run_now", schedule)
    assert "1 deleted." in act(client, "delete_rows", schedule)
    assert (Schedule.objects.count(), Run.objects.get().owner) == (0, schedule.owner)
    assert Audit.objects.filter(target=str(schedule.pk), actor_name="root").count() == 4


def test_presets_are_deleted(owner: User, administrator: User, signed_in: SignedIn) -> None:
    preset = jobs.create_preset("often", "page-nothing", owner=owner)
    assert "1 deleted." in act(signed_in(administrator), "delete_rows", preset)
    assert not Preset.objects.exists()


def test_staff_who_may_only_look_change_nothing(schedule: Schedule, member: User, signed_in: SignedIn) -> None:
    member.is_staff = True
    member.save()
    member.user_permissions.add(Permission.objects.get(codename="view_schedule", content_type__app_label="runs"))
    client = signed_in(member)
    for action in ("pause_schedules", "resume_schedules", "run_now", "delete_rows", "delete_selected"):
        act(client, action, schedule)
    schedule.refresh_from_db()
    assert (schedule.is_paused, Run.objects.count(), Schedule.objects.count()) == (False, 0, 1)
