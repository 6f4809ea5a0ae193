from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, User

from perdure.accounts.tokens import create_token
from runs import jobs
from runs.models import Run
from tests.api.client import ApiClient

Watch = Callable[[], AbstractContextManager[None]]


@pytest.fixture
def team(db: None) -> Group:
    return Group.objects.create(name="night shift")


def _user(name: str, *groups: Group) -> User:
    user = User.objects.create_user(name)
    user.groups.add(*groups)
    return user


@pytest.fixture
def alice(team: Group) -> User:
    """Owns what the tests make; in the team."""
    return _user("alice", team)


@pytest.fixture
def bob(team: Group) -> User:
    """In the same team."""
    return _user("bob", team)


@pytest.fixture
def mallory(db: None) -> User:
    """In another team."""
    return _user("mallory", Group.objects.create(name="others"))


@pytest.fixture
def api(alice: User) -> ApiClient:
    """Requests with a token of alice."""
    return ApiClient(create_token(alice, "tests"))


@pytest.fixture
def as_bob(bob: User) -> ApiClient:
    return ApiClient(create_token(bob, "tests"))


@pytest.fixture
def as_mallory(mallory: User) -> ApiClient:
    return ApiClient(create_token(mallory, "tests"))


@pytest.fixture
def as_admin(db: None) -> ApiClient:
    return ApiClient(create_token(User.objects.create_superuser("root"), "tests"))


@pytest.fixture
def anonymous(db: None) -> ApiClient:
    return ApiClient(None)


@pytest.fixture
def run(alice: User, team: Group) -> Run:
    """A queued run of alice, shared with the team."""
    return jobs.start("echo", {"text": "hello"}, owner=alice, team=team, labels={"kind": "test"}).run


def everything() -> dict[str, list[Any]]:
    """Every row of every table, without the note that a token was used."""
    found = {}
    for model in apps.get_models():
        rows = [tuple(sorted(row.items(), key=lambda item: item[0])) for row in model._base_manager.values()]
        plain = [[pair for pair in row if pair[0] != "last_used_at"] for row in rows]
        found[model._meta.label] = sorted(plain, key=str)
    return found


@pytest.fixture
def nothing_changes(db: None) -> Watch:
    """`with nothing_changes(): ...` fails when a row of any table was added, changed or removed."""

    @contextmanager
    def check() -> Iterator[None]:
        before = everything()
        yield
        assert everything() == before

    return check
