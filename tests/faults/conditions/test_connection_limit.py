"""PostgreSQL gives out no more connections: runs wait for one, the log says so, and they go on by themselves."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest

from tests.faults.conditions.workload import Workload
from tests.servers import databases, templates
from tests.worker.tree import WorkerTree

REFUSED = "because of the database: all its connections are taken. Raise max_connections"


class LimitedTree(WorkerTree):
    """On PostgreSQL as a role of its own, because no limit holds for a superuser."""

    role = ""

    def _make_database(self, postgresql: bool, new: bool) -> str | None:
        assert postgresql
        self.role = f"limited_{os.urandom(4).hex()}"
        url = databases.create_database(databases.postgresql_url(), templates.postgresql_template())
        self._as_superuser(f"CREATE ROLE {self.role} LOGIN PASSWORD 'limited'")
        with psycopg.connect(url, autocommit=True) as link:
            for kind in ("TABLES", "SEQUENCES"):
                link.execute(f"GRANT ALL ON ALL {kind} IN SCHEMA public TO {self.role}".encode())
        parts = urlsplit(url)
        host = parts.netloc.rpartition("@")[2]
        return urlunsplit(parts._replace(netloc=f"{self.role}:limited@{host}"))

    def limit(self, connections: int) -> None:
        """From now on; those that are open are ended. -1: no limit."""
        self._as_superuser(
            f"ALTER ROLE {self.role} CONNECTION LIMIT {connections}",
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{self.role}'",
        )

    def remove(self) -> list[int]:
        left = super().remove()
        self._as_superuser(f"DROP ROLE {self.role}")
        return left

    def _as_superuser(self, *statements: str) -> None:
        with psycopg.connect(databases.postgresql_url(), autocommit=True) as server:
            for statement in statements:
                server.execute(statement.encode())


@pytest.fixture
def tree(make_tree: Callable[..., LimitedTree]) -> LimitedTree:
    made = make_tree(LimitedTree)
    made.start_worker()
    return made


def test_runs_wait_for_connections_and_go_on(tree: LimitedTree, tmp_path: Path) -> None:
    work = Workload(tree, tmp_path)
    work.wait_until_under_way()
    tree.limit(3)  # too few for anybody to work, and enough for some to go on trying
    tree.wait_for_line(REFUSED, within=30)
    time.sleep(3)  # the condition lasts
    tree.limit(-1)
    work.assert_completes()


def test_a_worker_that_starts_without_connections_waits(tree: LimitedTree, tmp_path: Path) -> None:
    work = Workload(tree, tmp_path)
    work.wait_until_under_way()
    tree.kill_tree()
    tree.limit(0)
    tree.spawn()
    tree.wait_for_line(REFUSED, within=30)
    tree.limit(-1)
    work.assert_completes(repeated=1)
