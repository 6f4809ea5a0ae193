"""Fixtures for every test. Servers of their own: `perdure_server`, or `install` for more control."""

import sys
import time
from collections.abc import Callable, Iterator

import hypothesis
import pytest
from asgiref.sync import SyncToAsync
from django.db import connection, connections
from pytest_django import DjangoDbBlocker

from runs.events import doorbell
from tests.servers import databases
from tests.servers.installation import Installation

# The quick suite tries the same examples every time: whether a change is good must not be a matter of luck.
# A machine that is busy with other tests draws examples slowly; that says nothing about what they try.
_PATIENT = {"deadline": None, "suppress_health_check": [hypothesis.HealthCheck.too_slow]}
hypothesis.settings.register_profile("quick", derandomize=True, **_PATIENT)
hypothesis.settings.register_profile("long", derandomize=False, print_blob=True, **_PATIENT)
hypothesis.settings.load_profile("quick")


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Connections that stay open for a while: the one that announces changes, and that of asynchronous tests' queries.

    No database is dropped under them.
    """
    yield
    SyncToAsync.single_thread_executor.submit(connections.close_all).result()
    doorbell.hang_up()
    if connection.vendor == "postgresql":
        with django_db_blocker.unblock():
            _wait_for_others()


def _wait_for_others() -> None:
    deadline = time.monotonic() + 30
    while others := _sessions_of_others():
        assert time.monotonic() < deadline, f"a test has left open: {others}"
        time.sleep(0.05)


def _sessions_of_others() -> list[str]:
    """A server ends a session some time after its connection is closed; on a busy machine that takes a second."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT state || ': ' || query FROM pg_stat_activity WHERE datname = current_database()"
            " AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
        )
        return [said for (said,) in cursor.fetchall()]


@pytest.fixture(scope="session")
def on_postgresql(pytestconfig: pytest.Config) -> bool:
    """Does this run of the suite use PostgreSQL (and Redis)?"""
    return bool(pytestconfig.getoption("--database") == "postgresql")


@pytest.fixture(scope="session")
def postgresql_url() -> str:
    """A PostgreSQL server, whichever database the suite runs on; make databases with `databases.create_database`."""
    return databases.postgresql_url()


@pytest.fixture(scope="session")
def redis_url() -> str:
    """A Redis-compatible server, whichever database the suite runs on."""
    return databases.redis_url()


@pytest.fixture
def install(on_postgresql: bool) -> Iterator[Callable[..., Installation]]:
    """Makes installations that are not started yet; arguments are further environment variables."""
    made: list[Installation] = []

    def make(*, new: bool = False, **environment: str) -> Installation:
        made.append(Installation(postgresql=on_postgresql, new=new, **environment))
        return made[-1]

    yield make
    for installation in made:
        # pytest shows this for a test that failed.
        sys.stdout.write(f"--- log of {installation.base_url}\n{installation.log}\n")
    left = {pid for installation in made for pid in installation.remove()}
    assert not left, f"processes were left over: {sorted(left)}"


@pytest.fixture
def perdure_server(install: Callable[..., Installation]) -> Installation:
    """A running `manage.py up` with a database of its own and the jobs of tests/jobs_app."""
    return install().start()
