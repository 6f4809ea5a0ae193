"""Real worker trees on databases that refuse; each file brings its own trouble."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.faults.conditions.workload import APPS
from tests.worker.tree import WorkerTree


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """SQLite has no connections to run out of."""
    is_about_connections = collection_path.name == "test_connection_limit.py"
    return True if is_about_connections and config.getoption("--database") == "sqlite" else None


@pytest.fixture
def make_tree(on_postgresql: bool) -> Iterator[Callable[..., WorkerTree]]:
    """`make_tree(kind, **environment)`: an installation with tables whose worker is not started yet."""
    made: list[WorkerTree] = []

    def make(kind: type[WorkerTree] = WorkerTree, **environment: str) -> WorkerTree:
        made.append(kind(postgresql=on_postgresql, **{"PERDURE_APPS": APPS, **environment}))
        return made[-1]

    yield make
    for tree in made:
        print(f"--- log\n{tree.log}")  # noqa: T201  (pytest shows it for a test that failed)
    left = {pid for tree in made for pid in tree.remove()}
    assert not left, f"processes were left over: {sorted(left)}"


@pytest.fixture
def tree(make_tree: Callable[..., WorkerTree]) -> WorkerTree:
    """A running worker on a database that is well."""
    return make_tree().start_worker()
