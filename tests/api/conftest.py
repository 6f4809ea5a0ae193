from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest
from django.contrib.auth.models import Group, User
from django.db import connection

from perdure.accounts.tokens import create_token
from runs import jobs
from runs.models import Run
from tests.api.client import ApiClient
from tests.servers.emptying import tables_with_rows

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


def everything() -> dict[str, list[str]]:
    """Every row of every table that has some, without the note that a token was used.

    Looked at twice for each of thousands of requests, so not by models, whose queries cost fifty times as much.
    """
    found = {}
    with connection.cursor() as cursor:
        for table in tables_with_rows(connection, cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            kept = [place for place, column in enumerate(cursor.description) if column[0] != "last_used_at"]
            found[table] = sorted(str([row[place] for place in kept]) for row in cursor.fetchall())
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
