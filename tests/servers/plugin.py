"""Loaded before Django's settings: chooses the database, keeps the checkout clean, and lets no test be skipped.

`pytest` runs on SQLite, `pytest --database postgresql` on PostgreSQL with Redis.
"""

import gc
import logging
import os
import shutil
import tempfile
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from tests.servers import databases


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--database", choices=("sqlite", "postgresql"), default="sqlite", help="database of the tests")


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(
    early_config: pytest.Config, parser: pytest.Parser, args: list[str]
) -> Generator[None, Any, Any]:
    # Until all tests are there: what is imported stays, and a third of the time would go into looking whether it does.
    gc.disable()
    # A wrapper, because it must come before pytest-django, which reads the settings in the same hook.
    known = early_config.known_args_namespace
    if not known.help and not known.version:
        _set_environment(early_config, known.database)
    return (yield)


def pytest_collection_finish(session: pytest.Session) -> None:
    gc.freeze()
    gc.enable()


def pytest_sessionstart(session: pytest.Session) -> None:
    from tests.servers import emptying, static_files  # Django's settings are read by now

    emptying.install()
    static_files.install()
    _let_sqlite_commit_quickly()


def _let_sqlite_commit_quickly() -> None:
    """In this process alone: no test cuts the machine's power, and thousands of commits wait for the disk."""
    from django.conf import settings

    options = settings.DATABASES["default"]["OPTIONS"]
    if "init_command" in options:
        options["init_command"] += "PRAGMA synchronous=OFF;"


def _set_environment(config: pytest.Config, database: str) -> None:
    data = Path(tempfile.mkdtemp(prefix="perdure-tests-"))
    config.add_cleanup(lambda: shutil.rmtree(data, ignore_errors=True))
    for name in [name for name in os.environ if name.startswith(("PERDURE_", "RUNS_"))]:
        del os.environ[name]
    os.environ["PERDURE_DATA_DIR"] = str(data)
    os.environ["PERDURE_APPS"] = "tests.jobs_app"
    logging.getLogger("httpx").setLevel(logging.WARNING)
    os.environ.pop("DATABASE_URL", None)
    os.environ.pop("REDIS_URL", None)
    if database == "postgresql":
        os.environ["DATABASE_URL"] = databases.postgresql_url()
        os.environ["REDIS_URL"] = databases.redis_url()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:
    return _not_skipped((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Generator[None, Any, Any]:
    return _not_skipped((yield))


def _not_skipped(report: Any) -> Any:
    """What a test needs is brought or its absence is a failure: a skip would hide that nothing was checked."""
    if report.outcome == "skipped":
        report.outcome = "failed"
        report.longrepr = (
            f"Skipping is not allowed; bring what the test needs, or delete it. It said: {report.longrepr}"
        )
    return report
