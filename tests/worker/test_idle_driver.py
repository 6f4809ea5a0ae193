"""A driver with nothing to do asks little of its database, however many runs wait."""

import asyncio
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections
from django.db.backends.signals import connection_created

from runs import jobs
from runs.jobs import StepContext, job
from runs.models import Run, RunStatus
from runs.testing import drain, temporary_jobs
from runs.worker.driver import Ending
from tests.worker.driven_here import drive_here

pytestmark = pytest.mark.django_db(transaction=True)

SECONDS = 3.0
PER_SECOND = 25
WAITING = 40


@pytest.fixture
def asked() -> Iterator[Counter[str]]:
    """How many statements each connection that is opened meanwhile executes, by the name of its thread."""
    found: Counter[str] = Counter()

    def count(execute: Callable[..., Any], sql: str, *args: Any) -> Any:
        found[threading.current_thread().name.rsplit("_", 1)[0]] += 1
        return execute(sql, *args)

    def watch(connection: Any, **_: Any) -> None:
        connection.execute_wrappers.append(count)

    connections.close_all()
    connection_created.connect(watch)
    yield found
    connection_created.disconnect(watch)


def test_an_idle_driver_asks_a_few_times_a_second_however_many_runs_wait(asked: Counter[str]) -> None:
    async def rest() -> None:
        await asyncio.sleep(1)  # its start has questions of its own
        asked.clear()
        await asyncio.sleep(SECONDS)

    with temporary_jobs():

        @job("waits-long")
        async def waits_long(step: StepContext) -> None:
            await step.sleep("nap", timedelta(days=30))

        for _ in range(WAITING):
            jobs.start(waits_long)
        drain()
        assert Run.objects.filter(status=RunStatus.WAITING).count() == WAITING
        assert drive_here(rest) is Ending.STOP
    assert asked["runs-looks"] > SECONDS, "it does look"
    assert sum(asked.values()) < SECONDS * PER_SECOND, asked
