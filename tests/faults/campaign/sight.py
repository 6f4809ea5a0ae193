"""Looks straight into the campaign's database: no engine, no ORM, no proxy in between."""

import sqlite3
import time
from collections.abc import Sequence
from typing import Any

import psycopg

OUTAGES = (psycopg.OperationalError, psycopg.InterfaceError, sqlite3.OperationalError)
EFFECTS = "CREATE TABLE campaign_effect (program VARCHAR(200) NOT NULL, step VARCHAR(200) NOT NULL)"


class Sight:
    """One connection for one thread, made again after an outage. Ids come as 32 hexadecimal digits."""

    def __init__(self, url: str) -> None:
        """`url`: of PostgreSQL, or the path of an SQLite file."""
        self._url = url
        self._link: Any = None

    @property
    def on_postgresql(self) -> bool:
        return self._url.startswith("postgres")

    def rows(self, statement: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Raises one of OUTAGES while the database does not answer."""
        try:
            return self._ask(statement, parameters)
        except OUTAGES:
            self.close()  # an outage that is over has left a dead connection
        try:
            return self._ask(statement, parameters)
        except OUTAGES:
            self.close()
            raise

    def _ask(self, statement: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
        if self._link is None:
            self._link = self._connect()
        cursor = self._link.execute(statement if self.on_postgresql else statement.replace("%s", "?"), parameters)
        return list(cursor.fetchall()) if cursor.description else []

    def rows_once_up(self, statement: str, within: float = 60) -> list[tuple[Any, ...]]:
        """The same, waiting for the end of an outage."""
        deadline = time.monotonic() + within
        while True:
            try:
                return self.rows(statement)
            except OUTAGES:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)

    def _connect(self) -> Any:
        if self.on_postgresql:
            return psycopg.connect(self._url, autocommit=True, connect_timeout=5)
        return sqlite3.connect(self._url, isolation_level=None, timeout=20, check_same_thread=False)

    def close(self) -> None:
        if self._link is not None:
            self._link.close()
        self._link = None

    # ------------------------------------------------------------------------------------------------- what it asks
    @property
    def _now(self) -> str:
        return "now()" if self.on_postgresql else "strftime('%Y-%m-%d %H:%M:%f', 'now')"

    def holders(self) -> dict[int, set[str]]:
        """The running runs that each living driver process holds a lease on, by its pid."""
        found: dict[int, set[str]] = {}
        for pid, run in self.rows(
            "SELECT w.pid, r.id FROM runs_run r JOIN runs_worker w ON w.id = r.lease_worker "
            f"WHERE r.status = 'running' AND w.expires_at > {self._now}"
        ):
            found.setdefault(pid, set()).add(as_hex(run))
        return found

    def open_transactions(self) -> int:
        """How many of other processes there are; SQLite does not tell."""
        if not self.on_postgresql:
            return 0
        [[count]] = self.rows(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() "
            "AND backend_type = 'client backend' AND xact_start IS NOT NULL"
        )
        return int(count)


def as_hex(value: object) -> str:
    return str(value).replace("-", "")
