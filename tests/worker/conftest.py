from collections.abc import Callable, Iterator

import pytest

from tests.worker.tree import WorkerTree


@pytest.fixture(scope="module")
def make_worker(on_postgresql: bool) -> Iterator[Callable[..., WorkerTree]]:
    """A migrated installation whose worker is not started yet; arguments are further environment variables."""
    made: list[WorkerTree] = []

    def make(**environment: str) -> WorkerTree:
        made.append(WorkerTree(postgresql=on_postgresql, **environment))
        made[-1].manage("migrate", "-v", "0")
        return made[-1]

    yield make
    left = {pid for tree in made for pid in tree.remove()}
    assert not left, f"processes were left over: {sorted(left)}"


@pytest.fixture(scope="module")
def installation(make_worker: Callable[..., WorkerTree]) -> WorkerTree:
    """One database for the tests of a file: migrating costs more than most of them."""
    return make_worker()


@pytest.fixture
def worker(installation: WorkerTree) -> WorkerTree:
    """A running `manage.py worker`; started again when the test before killed any of it."""
    return installation.refresh()
