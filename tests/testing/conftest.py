from collections.abc import Iterator
from datetime import timedelta

import pytest

from runs import clock
from runs.testing import temporary_jobs


@pytest.fixture(autouse=True)
def _own_world(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Jobs and time of one test: what it registers and moves is gone afterwards."""
    monkeypatch.setattr(clock, "_offset", timedelta(0))
    with temporary_jobs():
        yield
