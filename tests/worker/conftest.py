from collections.abc import Callable, Iterator

import pytest

from tests.worker.tree import WorkerTree


@pytest.fixture
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


@pytest.fixture
def worker(make_worker: Callable[..., WorkerTree]) -> WorkerTree:
    """A running `manage.py worker`."""
    return make_worker().start_worker()
