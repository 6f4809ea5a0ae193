"""The first page of the admin: what operators look at, and to each only what they may see."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from flows.llm.models import ProviderProfile
from runs import clock, jobs
from runs.models import Audit, Run, Worker

pytestmark = pytest.mark.django_db
SignedIn = Callable[..., Client]


def worker(seconds_left: float, **fields: Any) -> Worker:
    now = clock.now()
    times = {"started_at": now, "seen_at": now, "expires_at": now + timedelta(seconds=seconds_left)}
    return Worker.objects.create(**({"host_id": "h", "host": "mill", "pid": 7, "pid_start": "1"} | times | fields))


def make_due(run: Run, minutes: float = 30) -> Run:
    Run.objects.filter(pk=run.pk).update(due_at=clock.now() - timedelta(minutes=minutes))
    return run


def front(client: Client) -> str:
    answer = client.get("/admin/")
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.fixture
def clerk(member: User) -> User:
    member.is_staff = True
    member.save()
    return member


def test_a_quiet_house_says_so(administrator: User, signed_in: SignedIn) -> None:
    ProviderProfile.objects.all().delete()
    page = front(signed_in(administrator))
    for said in ("Nothing is stuck", "No worker has ever been here", "No profile is kept", "none is on record"):
        assert said in page


def test_runs_without_a_worker_for_their_version_are_named(run: Run, administrator: User, signed_in: SignedIn) -> None:
    make_due(run)
    worker(30, jobs=[["another", "1"]])
    page = front(signed_in(administrator))
    assert "No live worker has version 1 of" in page
    assert "?trouble=no-version&amp;job=page-nothing" in page
    listed = signed_in(administrator).get("/admin/runs/run/?trouble=no-version").content.decode()
    assert str(run.pk) in listed


def test_runs_of_a_queue_that_nobody_serves_are_named(run: Run, administrator: User, signed_in: SignedIn) -> None:
    make_due(run)
    worker(30, jobs=[["page-nothing", run.job_version]], queues=["fast"])
    page = front(signed_in(administrator))
    assert "No live worker serves queue" in page
    listed = signed_in(administrator).get("/admin/runs/run/?trouble=no-queue").content.decode()
    assert str(run.pk) in listed
    assert str(run.pk) not in signed_in(administrator).get("/admin/runs/run/?trouble=left").content.decode()


def test_leases_tell_the_living_from_the_dead(run: Run, administrator: User, signed_in: SignedIn) -> None:
    alive = worker(30, version="3.1")
    worker(-90, pid=8)
    Run.objects.filter(pk=run.pk).update(status="running", lease_worker=alive.pk)
    page = front(signed_in(administrator))
    assert page.index("mill:7") < page.index("mill:8")
    assert "drive 1 run" in page
    assert "alive</span> until" in page
    assert "gone</span> for 1\xa0minute" in page


def test_retention_says_how_long_things_stay_and_who_cleaned_up(
    run: Run, administrator: User, signed_in: SignedIn
) -> None:
    data = {"runs": 12, "events": 340}
    Audit.objects.create(
        at=clock.now(), actor_kind="user", actor_name="ada", action="runs.prune", target="runs", data=data
    )
    page = front(signed_in(administrator))
    assert "30 days after their end" in page
    assert "by ada: 12 runs, 340 events" in page
    assert f"/admin/runs/run/{run.pk}/change/" in page


def test_a_profile_whose_secret_is_missing_says_so(administrator: User, signed_in: SignedIn) -> None:
    ProviderProfile.objects.all().delete()
    for name, key in (("cloud", "NOT_A_KEY_THAT_IS_SET"), ("local", "")):
        ProviderProfile.objects.create(
            id=name, kind="openai", base_uri="http://localhost:9/v1", api_key_env=key, updated_at=clock.now()
        )
    page = front(signed_in(administrator))
    section = page[page.index("op-profiles") :]
    assert section.count(">fails</span>") == 1
    assert section.count(">ready</span>") == 1


def test_staff_sees_what_their_permissions_show(run: Run, clerk: User, signed_in: SignedIn) -> None:
    page = front(signed_in(clerk))
    assert "You may see nothing here yet" in page
    for heading in ("Stuck runs", "leases", "Provider profiles</h2>", "Retention", "Invariants", "Open questions"):
        assert heading not in page
    clerk.user_permissions.add(Permission.objects.get(codename="view_run"))
    page = front(signed_in(clerk))
    assert "Stuck runs" in page
    assert "Check now" not in page
    assert "See what would go" not in page


def test_the_admin_is_closed_to_others(member: User, signed_in: SignedIn) -> None:
    assert signed_in(member).get("/admin/").status_code == 302
    assert Client().get("/admin/").status_code == 302


def test_many_runs_are_acted_on_elsewhere(
    administrator: User, signed_in: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runs.admin.reasons.MAX_CHOSEN", 1)
    chosen = [str(jobs.start("page-nothing").run.pk) for _ in range(2)]
    sent = {"action": "cancel_runs", "_selected_action": chosen, "reason": "all of them"}
    page = signed_in(administrator).post("/admin/runs/run/", sent, follow=True).content.decode()
    assert "Choose 1 runs at most" in page
    assert set(Run.objects.values_list("status", flat=True)) == {"queued"}
