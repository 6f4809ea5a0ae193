"""`manage.py check --database default` names runs that no live worker can take."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import connection

from runs import checks, clock, jobs
from runs.testing import advance, temporary_jobs


@pytest.fixture(autouse=True)
def _own_world(db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(clock, "_offset", timedelta(0))
    with temporary_jobs():
        yield


def test_stranded_runs_are_a_warning_with_a_remedy() -> None:
    jobs.start(jobs.job("lonely", version="7")(lambda step: None))
    assert checks.check_versions(databases=["default"]) == []
    advance(timedelta(seconds=61))
    assert checks.check_versions() == []
    (warning,) = checks.check_versions(databases=["default"])
    assert warning.id == "runs.W003"
    assert "version '7' of job 'lonely', and 1 run of it" in warning.msg
    assert "move" in str(warning.hint)


def test_a_database_without_tables_is_no_matter() -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE runs_worker RENAME TO runs_worker_before")
    assert checks.check_versions(databases=["default"]) == []
