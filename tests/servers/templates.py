"""Migrated databases to copy, so that not every installation of a test makes its tables again."""

import atexit
import functools
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.servers import databases

ROOT = Path(__file__).resolve().parent.parent.parent


@functools.cache
def postgresql_template() -> str:
    """The name of a database with every table, made once for this process."""
    url = databases.create_database(databases.postgresql_url())
    # Only our own server ends with this process; on another one the template would stay.
    atexit.register(databases.drop_database, databases.postgresql_url(), url)
    with tempfile.TemporaryDirectory(prefix="perdure-template-") as folder:
        _migrate(Path(folder), DATABASE_URL=url)
    return databases.name_of(url)


@functools.cache
def sqlite_template() -> Path:
    """An SQLite file with every table, made once for this process."""
    folder = Path(tempfile.mkdtemp(prefix="perdure-template-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    _migrate(folder)
    return folder / "perdure.sqlite3"


def _migrate(folder: Path, **environment: str) -> None:
    kept = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "PERDURE_APPS")}
    subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), "migrate", "--verbosity", "0"],
        env={**kept, "PERDURE_DATA_DIR": str(folder), **environment},
        check=True,
    )
