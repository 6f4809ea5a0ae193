"""What operators do in the admin about runs that cannot go on, leases of dead processes, and broken invariants."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from runs import clock, jobs
from runs.models import Audit, Event, Run, RunStatus, Worker

pytestmark = pytest.mark.django_db
SignedIn = Callable[..., Client]
RUNS, WORKERS, INVARIANTS = "/admin/runs/run/", "/admin/runs/worker/", "/admin/runs/run/invariants/"


def worker(seconds_left: float, pid: int) -> Worker:
    now = clock.now()
    return Worker.objects.create(
        host_id="h", host="mill", pid=pid, pid_start="1", started_at=now, seen_at=now, jobs=[["page-nothing", "1"]],
        expires_at=now + timedelta(seconds=seconds_left),
    )  # fmt: skip


def read(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.fixture
def clerk(member: User) -> User:
    """Staff that may look at runs and workers, and do nothing."""
    member.is_staff = True
    member.save()
    member.user_permissions.set(Permission.objects.filter(codename__in=["view_run", "view_worker"]))
    return member


@pytest.fixture
def held(run: Run) -> Run:
    Run.objects.filter(pk=run.pk).update(status=RunStatus.PAUSED, reason="crash_loop", due_at=None)
    return run


@pytest.fixture
def broken() -> Run:
    """A queued run that nothing would wake: the mark of a hand in the database."""
    run = jobs.start("page-nothing").run
    Run.objects.filter(pk=run.pk).update(due_at=None)
    return run


# ------------------------------------------------------------------------------------------------------- stuck runs
def test_what_the_engine_holds_is_among_the_stuck_and_can_be_resumed(
    held: Run, administrator: User, signed_in: SignedIn
) -> None:
    client = signed_in(administrator)
    assert "Its worker died several times" in read(client, "/admin/")
    for trouble in ("held", "any"):
        assert str(held.pk) in read(client, f"{RUNS}?trouble={trouble}")
    assert str(held.pk) not in read(client, f"{RUNS}?trouble=left")
    client.post(RUNS, {"action": "resume_runs", "_selected_action": [str(held.pk)], "reason": "the step is mended"})
    held.refresh_from_db()
    assert held.status == RunStatus.QUEUED
    assert Audit.objects.get(action="run.resume").actor_name == "root"


def test_a_run_that_has_been_due_for_long_is_found(run: Run, administrator: User, signed_in: SignedIn) -> None:
    client = signed_in(administrator)
    assert str(run.pk) not in read(client, f"{RUNS}?trouble=late")
    Run.objects.filter(pk=run.pk).update(due_at=clock.now() - timedelta(minutes=6))
    assert str(run.pk) in read(client, f"{RUNS}?trouble=late")


# ----------------------------------------------------------------------------------------------------------- leases
def test_workers_are_found_by_their_lease_and_lead_to_what_they_drive(
    run: Run, administrator: User, signed_in: SignedIn
) -> None:
    alive, _gone, client = worker(30, 7), worker(-90, 8), signed_in(administrator)
    Run.objects.filter(pk=run.pk).update(status=RunStatus.RUNNING, lease_worker=alive.pk)
    living, dead = read(client, f"{WORKERS}?lease=alive"), read(client, f"{WORKERS}?lease=gone")
    assert ("mill:7" in living, "mill:8" in living) == (True, False)
    assert ("mill:7" in dead, "mill:8" in dead) == (False, True)
    assert f"{RUNS}?lease_worker={alive.pk}" in living
    assert str(run.pk) in read(client, f"{RUNS}?lease_worker={alive.pk}")
    page = read(client, f"{RUNS}{run.pk}/change/")
    assert "mill:7</a>, alive until" in page


def test_only_workers_whose_lease_is_over_are_forgotten(administrator: User, signed_in: SignedIn) -> None:
    alive, gone = worker(30, 7), worker(-90, 8)
    sent = {"action": "forget_gone", "_selected_action": [str(alive.pk), str(gone.pk)]}
    page = signed_in(administrator).post(WORKERS, sent, follow=True).content.decode()
    assert "1 forgotten." in page
    assert "1 kept, since their leases hold." in page
    assert list(Worker.objects.all()) == [alive]
    assert Audit.objects.get(action="worker.forget").data == {"process": "mill:8"}


# ------------------------------------------------------------------------------------------------------- invariants
def test_runs_that_break_an_invariant_are_listed_to_be_acted_on(
    broken: Run, administrator: User, signed_in: SignedIn
) -> None:
    whole = jobs.start("page-nothing").run
    page = read(signed_in(administrator), f"{RUNS}?invariant=idle_without_wake")
    assert str(broken.pk) in page
    assert str(whole.pk) not in page


def test_what_is_broken_is_mended_in_the_name_of_the_operator(
    broken: Run, administrator: User, signed_in: SignedIn
) -> None:
    client = signed_in(administrator)
    assert "Mend what can be mended" in client.post(INVARIANTS).content.decode()
    page = client.post(INVARIANTS, {"do": "mend"}).content.decode()
    assert "Mended: idle_without_wake 1." in page
    assert "Mend what can be mended" not in page
    broken.refresh_from_db()
    assert broken.due_at is not None
    assert Event.objects.get(run=broken, type="log:write").data["actor"]["name"] == "root"
    assert Audit.objects.get(action="run.repair").actor_name == "root"


def test_where_nothing_is_broken_nothing_is_mended(run: Run, administrator: User, signed_in: SignedIn) -> None:
    page = signed_in(administrator).post(INVARIANTS, {"do": "mend"}).content.decode()
    assert "Nothing was mended" in page
    assert not Audit.objects.filter(action="run.repair").exists()


def test_who_may_check_and_not_change_mends_nothing(broken: Run, clerk: User, signed_in: SignedIn) -> None:
    clerk.user_permissions.add(Permission.objects.get(codename="check_invariants"))
    page = signed_in(clerk).post(INVARIANTS, {"do": "mend"}).content.decode()
    assert "do not hold" in page or "does not hold" in page
    assert "Mend what can be mended" not in page
    broken.refresh_from_db()
    assert broken.due_at is None


# ------------------------------------------------------------------------------------------------------------- walls
def test_staff_without_permission_sees_and_acts_not(broken: Run, clerk: User, signed_in: SignedIn) -> None:
    gone, client = worker(-90, 8), signed_in(clerk)
    client.post(WORKERS, {"action": "forget_gone", "_selected_action": [str(gone.pk)]})
    assert Worker.objects.filter(pk=gone.pk).exists()
    assert client.post(INVARIANTS, {"do": "mend"}).status_code == 403
    assert "broken invariant" not in read(client, RUNS)


@pytest.mark.parametrize("path", [RUNS, WORKERS, INVARIANTS])
def test_others_are_sent_away(path: str, member: User, signed_in: SignedIn) -> None:
    for client in (Client(), signed_in(member)):
        assert client.get(path).status_code == 302
        assert client.post(path, {"do": "mend", "action": "forget_gone"}).status_code == 302
