"""The page of workers: load and processes for staff, what nobody can do for all."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client

from runs import clock, jobs
from runs.models import Run, RunStatus, Worker

SignedIn = Callable[..., Client]


@pytest.fixture
def worker(db: None) -> Worker:
    """It lives, and has every job that is registered but page-list."""
    now = clock.now()
    return Worker.objects.create(
        host_id="h", host="build-7", pid=4711, pid_start="1", version="9.9",
        jobs=[list(job.key) for job in jobs.all_jobs() if job.name != "page-list"],
        started_at=now, seen_at=now, expires_at=now + timedelta(hours=1),
    )  # fmt: skip


def test_staff_sees_processes_with_what_they_drive(
    worker: Worker, run: Run, administrator: User, signed_in: SignedIn
) -> None:
    Run.objects.filter(pk=run.pk).update(status=RunStatus.RUNNING, lease_worker=worker.pk)
    page = signed_in(administrator).get("/workers/")
    text = page.content.decode()
    assert "build-7, process 4711" in text
    assert "1 of 100 runs" in text
    assert str(run.pk) in text
    assert [process.load for process in page.context["fleet"].processes] == [1]


def test_others_see_how_many_live_and_neither_hosts_nor_load(
    worker: Worker, run: Run, member: User, signed_in: SignedIn
) -> None:
    Run.objects.filter(pk=run.pk).update(status=RunStatus.RUNNING, lease_worker=worker.pk)
    page = signed_in(member).get("/workers/")
    text = page.content.decode()
    assert "build-7" not in text
    assert "4711" not in text
    assert (page.context["fleet"].alive, page.context["fleet"].driving, page.context["fleet"].processes) == (
        1,
        None,
        [],
    )


def test_staff_of_another_team_sees_the_load_and_not_the_runs(
    worker: Worker, run: Run, stranger: User, signed_in: SignedIn
) -> None:
    Run.objects.filter(pk=run.pk).update(status=RunStatus.RUNNING, lease_worker=worker.pk)
    User.objects.filter(pk=stranger.pk).update(is_staff=True)
    text = signed_in(stranger).get("/workers/").content.decode()
    assert "1 of 100 runs" in text
    assert "It works on runs of other teams." in text
    assert str(run.pk) not in text


def test_versions_that_no_worker_has_are_named_with_the_runs_that_wait(
    worker: Worker, owner: User, team: Group, member: User, stranger: User, signed_in: SignedIn
) -> None:
    waiting = jobs.start("page-list", [1], owner=owner, team=team).run
    Run.objects.filter(pk=waiting.pk).update(reason="no_worker_for_version")
    text = signed_in(member).get("/workers/").content.decode()
    assert "No worker has version 1 of page-list." in text
    assert "1 of the runs that you see waits for it." in text
    text = signed_in(stranger).get("/workers/").content.decode()
    assert "No worker has version 1 of page-list." in text
    assert "of the runs that you see" not in text


def test_without_a_worker_the_page_says_how_to_start_one(owner: User, signed_in: SignedIn) -> None:
    text = signed_in(owner).get("/workers/").content.decode()
    assert "No worker is alive." in text
    assert "manage.py worker" in text


def test_queues_count_what_one_may_see(
    worker: Worker, run: Run, member: User, stranger: User, signed_in: SignedIn
) -> None:
    def queued(user: User) -> list[int]:
        return [queue.runs.get("queued", 0) for queue in signed_in(user).get("/workers/").context["fleet"].queues]

    assert sum(queued(member)) == 1
    assert sum(queued(stranger)) == 0


def test_the_anonymous_sign_in_first() -> None:
    assert Client().get("/workers/")["Location"] == "/sign-in/?next=/workers/"
