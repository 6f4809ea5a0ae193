"""A migrated SQLite database that nobody used yet: made once, then copied."""

import hashlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from django.apps import apps
from django.core.management import call_command
from django.db import connection


def make(cache: Path) -> None:
    """Put it where the settings say. `cache` keeps a copy for the next call, if it can be written."""
    _commit_quickly()
    path, kept = Path(connection.settings_dict["NAME"]), cache / f"{_digest()}.sqlite3"
    try:
        shutil.copyfile(kept, path)
    except OSError:
        call_command("migrate", interactive=False, verbosity=0)
        _keep(path, kept)


def _commit_quickly() -> None:
    """No power cut is survived by what is thrown away: commits need not wait for the disk."""
    options = connection.settings_dict["OPTIONS"]
    options["init_command"] = options.get("init_command", "") + "PRAGMA synchronous=OFF;"


def _keep(path: Path, kept: Path) -> None:
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    unfinished = kept.with_suffix(f".{os.getpid()}")
    try:
        kept.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        shutil.copyfile(path, unfinished)
        unfinished.replace(kept)
        for older in kept.parent.glob("*.sqlite3"):
            if older != kept:
                older.unlink(missing_ok=True)
    except OSError:
        unfinished.unlink(missing_ok=True)


def _digest() -> str:
    """Of the migrations of all installed apps: another one makes another database."""
    hashed = hashlib.sha256()
    for path in _migrations():
        hashed.update(f"{path.parent.parent.name}/{path.name}\0".encode())
        hashed.update(path.read_bytes())
    return hashed.hexdigest()[:32]


def _migrations() -> Iterator[Path]:
    for app in apps.get_app_configs():
        yield from sorted(Path(app.path, "migrations").glob("*.py"))
