from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from runs import clock
from runs.testing import temporary_jobs
from tests.engine.driver import Driver


@pytest.fixture(autouse=True)
def _own_world(transactional_db: None, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Jobs, time and limits of one test: what it registers and moves is gone afterwards."""
    settings.RUNS_UNLOAD_AFTER = 0.05
    settings.RUNS_UNLOAD_GRACE_SECONDS = 10.0
    settings.RUNS_SYNC_ABORT_GRACE_SECONDS = 30.0
    monkeypatch.setattr(clock, "_offset", timedelta(0))
    with temporary_jobs():
        yield


@pytest.fixture
def driver() -> Iterator[Driver]:
    with Driver() as made:
        yield made
