"""An installation may let PostgreSQL bind the values of Django's queries: runs are started and driven all the same."""

from collections.abc import Iterator

import pytest
from django.db import connections

from runs import jobs
from runs.engine.store import inserting
from runs.jobs import StepContext, job
from runs.testing import drain
from tests.engine.driver import begin


@pytest.fixture
def bound_by_the_server(on_postgresql: bool) -> Iterator[None]:
    """SQLite has no such option."""
    if not on_postgresql:
        yield
        return
    options = connections["default"].settings_dict["OPTIONS"]
    options["server_side_binding"] = True
    connections["default"].close()
    inserting._fields.cache_clear()
    inserting._statement.cache_clear()
    yield
    del options["server_side_binding"]
    connections["default"].close()


@pytest.mark.usefixtures("bound_by_the_server")
def test_a_run_is_started_and_driven_where_the_server_binds_values() -> None:
    @job("bound")
    async def bound(step: StepContext) -> int:
        return await step.run("one", lambda: 1)

    run = begin(bound)
    drain()
    assert jobs.get(run.id).output == 1
