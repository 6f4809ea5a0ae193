"""People around one team's question: the starter, two members, a stranger, an administrator."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, User

from hitl.asking import Draft, open_question
from hitl.models import Question
from runs import clock, jobs
from runs.models import Run
from runs.testing import drain
from tests.hitl import jobs as asking_jobs  # noqa: F401  (registers them)

Asks = Callable[..., Question]
Put = Callable[..., Question]


@pytest.fixture(autouse=True)
def _own_clock(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.RUNS_UNLOAD_AFTER = 0.05
    monkeypatch.setattr(clock, "_offset", timedelta(0))


@pytest.fixture
def team(db: None) -> Group:
    return Group.objects.create(name="night shift")


def person(name: str, *groups: Group) -> User:
    made = User.objects.create_user(name)
    made.groups.add(*groups)
    return made


@pytest.fixture
def starter(team: Group) -> User:
    return person("sara", team)


@pytest.fixture
def alice(team: Group) -> User:
    return person("alice", team)


@pytest.fixture
def bob(team: Group) -> User:
    return person("bob", team)


@pytest.fixture
def mallory(db: None) -> User:
    """In another team."""
    return person("mallory", Group.objects.create(name="others"))


@pytest.fixture
def root(db: None) -> User:
    return User.objects.create_superuser("root")


@pytest.fixture
def asks(transactional_db: None, starter: User, team: Group) -> Asks:
    """Starts a run of the team that asks, and waits until it holds no worker."""

    def make(job: str = "ask-approval", input: Any = None, **options: Any) -> Question:
        run = jobs.start(job, options if input is None else input, owner=starter, team=team).run
        return driven_to_question(run)

    return make


@pytest.fixture
def put(starter: User, team: Group) -> Callable[..., Question]:
    """A question of a run that has not been driven; the doors need no more."""

    def make(**draft: object) -> Question:
        run = jobs.start("ask-approval", {}, owner=starter, team=team).run
        return Question.objects.get(
            id=open_question(run.id, "ok?", Draft(**({"title": "ok?", "kind": "approval"} | draft)))
        )

    return make


def driven_to_question(run: Run) -> Question:
    drain()
    run.refresh_from_db()
    assert run.status == "waiting", run.error
    return Question.objects.get(run=run)


def finished(question: Question) -> Run:
    """The run after it went on."""
    drain()
    return jobs.get(question.run_id)
