"""The server ends the writer's sessions, in whatever moment, and its runs go on."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection, connections

from runs import jobs
from runs.engine.execute import Outcome
from runs.jobs import StepContext, job
from tests.engine.driver import Driver, begin, types

TIMES = 10
"""And no more: where a first write takes longer than the pauses between the ends, none would ever get through."""


def test_backends_that_are_terminated_again_and_again_do_not_disturb_a_run(driver: Driver, on_postgresql: bool) -> None:
    """SQLite has none: there nobody disturbs the run."""
    terminated: list[Any] = []

    @job("undisturbed")
    async def undisturbed(step: StepContext) -> list[int]:
        async def slow(number: int) -> int:
            await asyncio.sleep(0.002)
            return number

        numbers: list[int] = []
        while len(numbers) < 60 or (on_postgresql and len(terminated) < TIMES):
            numbers.append(await step.run(f"s{len(numbers)}", slow, len(numbers)))
        return numbers

    run = begin(undisturbed)
    with terminating(terminated, TIMES if on_postgresql else 0):
        driver.claim()
        assert driver.outcome(run) is Outcome.ENDED
    ended = jobs.get(run.id)
    assert ended.output is not None, ended.error
    assert ended.output == list(range(max(60, len(ended.output))))
    assert types(run).count("step:complete") == len(ended.output)
    assert not driver.deaths


@contextmanager
def terminating(terminated: list[Any], times: int) -> Iterator[None]:
    """Inside, so many backends whose last statement wrote a batch or a lone step are terminated."""
    stop = threading.Event()

    def terminate() -> None:
        try:
            while len(terminated) < times and not stop.wait(0.03):
                with connection.cursor() as cursor:
                    cursor.execute(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                        "WHERE datname = current_database() AND pid <> pg_backend_pid() "
                        "AND (query LIKE '%WITH entry AS MATERIALIZED%' OR query LIKE '%runs\\_write\\_step\\_1(%')"
                    )
                    terminated.extend(cursor.fetchall())
        finally:
            connections.close_all()

    thread = threading.Thread(target=terminate)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
