"""Three people: the owner of the runs, a member of the owner's team, and a stranger of another team."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client

from runs import clock, jobs
from runs.models import Event, Run, RunStatus, Step
from tests.pages import jobs as page_jobs  # noqa: F401  (registers them)


@pytest.fixture
def team(db: None) -> Group:
    return Group.objects.create(name="builders")


@pytest.fixture
def owner(team: Group) -> User:
    return _person("olga", team)


@pytest.fixture
def member(team: Group) -> User:
    return _person("mika", team)


@pytest.fixture
def stranger(db: None) -> User:
    return _person("sven", Group.objects.create(name="others"))


@pytest.fixture
def administrator(db: None) -> User:
    return User.objects.create_superuser("root")


@pytest.fixture
def signed_in() -> Callable[..., Client]:
    def sign_in(user: User, **options: Any) -> Client:
        client = Client(**options)
        client.force_login(user)
        return client

    return sign_in


@pytest.fixture
def run(owner: User, team: Group) -> Run:
    """A queued run of the owner's team."""
    return jobs.start("page-nothing", owner=owner, team=team).run


@pytest.fixture
def finish() -> Callable[..., Run]:
    """Gives a run the rows that an execution leaves; the pages only read them."""

    def write(run: Run, status: str = RunStatus.COMPLETED, *, steps: list[dict[str, Any]] = [], **fields: Any) -> Run:  # noqa: B006
        now = clock.now()
        started = now - timedelta(seconds=3)
        for step in steps:
            times = {"started_at": started, "finished_at": now}
            Step.objects.create(run=run, **({"kind": "run", "status": "completed", "attempts": 1} | times | step))
        Event.objects.create(run=run, sequence=run.last_sequence + 1, type=f"run:{status[:-2]}", created_at=now)
        times = {"started_at": started, "finished_at": now, "last_sequence": run.last_sequence + 1}
        Run.objects.filter(pk=run.pk).update(status=status, lease_token=1, **times, **fields)
        run.refresh_from_db()
        return run

    return write


def _person(name: str, team: Group) -> User:
    person = User.objects.create_user(name)
    person.groups.add(team)
    return person
