"""Nothing that the engine commits notifies: a NOTIFY in a transaction makes all commits of a database queue up."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.backends.signals import connection_created

from runs import jobs
from runs.jobs import StepContext, job
from runs.testing import advance, drain
from tests.engine.driver import begin


@pytest.fixture
def statements() -> Iterator[list[str]]:
    """What this connection, and each one that is opened meanwhile, executes."""
    found: list[str] = []

    def note(execute: Callable[..., Any], sql: str, *args: Any) -> Any:
        found.append(sql.lower())
        return execute(sql, *args)

    def watch(connection: Any, **_: Any) -> None:
        connection.execute_wrappers.append(note)

    connection_created.connect(watch)
    with connection.execute_wrapper(note):
        yield found
    connection_created.disconnect(watch)


def test_no_transaction_of_a_run_s_life_notifies(statements: list[str]) -> None:
    @job("lives")
    async def lives(step: StepContext) -> str:
        await step.sleep("nap", timedelta(days=1))
        found = await step.wait_for_signal("go")
        return await step.run("work", lambda: str(found))

    run = begin(lives)
    drain()
    jobs.pause(run.id)
    jobs.resume(run.id)
    jobs.signal(run.id, "go", "gone")
    advance(timedelta(days=1))
    drain()
    assert jobs.get(run.id).output == "gone"
    assert any("insert into runs_event" in sql.replace('"', "") for sql in statements), "it sees the writes"
    assert not [sql for sql in statements if "notify" in sql]
