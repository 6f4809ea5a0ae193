"""A worker's database on a file system that can be filled to the last byte."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import psycopg

from tests.servers import databases, templates
from tests.worker.tree import WorkerTree

MIB = 64


class SmallDiskTree(WorkerTree):
    """SQLite's file, or PostgreSQL's tables and indexes, lie on a small disk of their own."""

    disk: Path
    _tablespace = ""

    def _make_database(self, postgresql: bool, new: bool) -> str | None:
        if postgresql:
            self.disk = _mount(Path(tempfile.mkdtemp(prefix="perdure-small-disk-")))
            return self._make_in_tablespace()
        self.disk = _mount(self.data_dir)
        shutil.copy(templates.sqlite_template(), self.data_dir)
        return None

    def _make_in_tablespace(self) -> str:
        server, template = databases.postgresql_url(), templates.postgresql_template()
        self._tablespace, name = f"small_{uuid4().hex[:8]}", f"perdure_{uuid4().hex[:12]}"
        with psycopg.connect(server, autocommit=True) as link:
            [folder] = link.execute("SHOW data_directory").fetchone() or [""]
            owner = os.stat(folder)
            tables = self.disk / "tables"
            tables.mkdir()
            for path in (self.disk, tables):
                os.chown(path, owner.st_uid, owner.st_gid)
            link.execute(f"CREATE TABLESPACE {self._tablespace} LOCATION '{tables}'".encode())
            link.execute(f"CREATE DATABASE {name} TEMPLATE {template} TABLESPACE {self._tablespace}".encode())
        return urlunsplit(urlsplit(server)._replace(path=f"/{name}"))

    def fill(self) -> None:
        """Leave no byte free."""
        with open(self.disk / "junk", "wb", buffering=0) as file:
            for size in (2**20, 2**12):
                try:
                    while file.write(b"x" * size) == size:
                        pass
                except OSError:
                    continue

    def free(self) -> None:
        (self.disk / "junk").unlink()

    def remove(self) -> list[int]:
        left = super().remove()
        if self._tablespace:
            with psycopg.connect(databases.postgresql_url(), autocommit=True) as link:
                link.execute(f"DROP TABLESPACE {self._tablespace}".encode())
        subprocess.run(["umount", str(self.disk)], check=True)
        self.disk.rmdir()
        return left


def _mount(folder: Path) -> Path:
    options = f"size={MIB}m,mode=0700"
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], capture_output=True, text=True)
    if done.returncode:
        raise AssertionError(
            f"No small disk can be made here: {done.stderr.strip()}. Run this as root where file systems may be "
            "mounted (in a container: with CAP_SYS_ADMIN)."
        )
    return folder
