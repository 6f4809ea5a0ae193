"""The database may not be written: runs wait for the right to write, the log says so, and they go on by themselves."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from tests.faults.conditions.workload import Workload
from tests.servers import databases
from tests.worker.tree import WorkerTree

REFUSED = "because of the database: it may not be written"


@pytest.fixture
def tree(make_tree: Callable[..., WorkerTree]) -> WorkerTree:
    made = make_tree()
    if os.geteuid() == 0:  # else no mode of a file would hold it back
        made.prefix = ("setpriv", "--bounding-set=-dac_override", "--inh-caps=-dac_override", "--")
    return made.start_worker()


def test_runs_wait_for_the_right_to_write_and_go_on(tree: WorkerTree, tmp_path: Path) -> None:
    work = Workload(tree, tmp_path)
    work.wait_until_under_way()
    with _read_only(tree):
        if not tree.database_url:
            tree.signal(tree.drivers[0])  # what is open stays writable: only who opens the file anew is refused
        tree.wait_for_line(REFUSED, within=30)
        time.sleep(3)  # the condition lasts
    work.assert_completes(repeated=0 if tree.database_url else 1)


def test_a_worker_that_starts_on_a_read_only_database_waits(tree: WorkerTree, tmp_path: Path) -> None:
    work = Workload(tree, tmp_path)
    work.wait_until_under_way()
    tree.kill_tree()
    with _read_only(tree):
        tree.spawn()
        tree.wait_for_line(REFUSED, within=30)
    work.assert_completes(repeated=1)


@contextmanager
def _read_only(tree: WorkerTree) -> Iterator[None]:
    set_mode = _set_mode_of_database if tree.database_url else _set_mode_of_files
    set_mode(tree, True)
    try:
        yield
    finally:
        set_mode(tree, False)


def _set_mode_of_database(tree: WorkerTree, read_only: bool) -> None:
    """As an operator does for a switch-over: new sessions may not write, and the old ones are ended."""
    name = databases.name_of(tree.database_url or "")
    with psycopg.connect(databases.postgresql_url(), autocommit=True) as server:
        value = "on" if read_only else "off"
        server.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = {value}".encode())
        server.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])


def _set_mode_of_files(tree: WorkerTree, read_only: bool) -> None:
    for file in tree.data_dir.glob("perdure.sqlite3*"):
        file.chmod(0o400 if read_only else 0o600)
    tree.data_dir.chmod(0o500 if read_only else 0o700)
