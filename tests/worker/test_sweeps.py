"""The sweeping loop of a driver says of due runs that no worker has their version."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta

import pytest

from runs import clock, jobs
from runs.testing import advance, temporary_jobs
from runs.worker.sweeps import Sweeps
from runs.worker.threads import DatabaseThread


@pytest.fixture(autouse=True)
def _own_world(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(clock, "_offset", timedelta(0))
    with temporary_jobs():
        yield


def test_a_run_without_a_worker_for_its_version_gets_its_reason() -> None:
    run = jobs.start(jobs.job("lonely")(lambda step: None)).run
    advance(timedelta(seconds=61))

    async def sweep_until_marked() -> None:
        database = DatabaseThread()
        sweeping = asyncio.create_task(Sweeps(database).run())
        try:
            async with asyncio.timeout(60):
                while (await database.call(jobs.get, run.id)).reason != "no_worker_for_version":
                    await asyncio.sleep(0.01)
        finally:
            sweeping.cancel()
            await asyncio.gather(sweeping, return_exceptions=True)
            await database.stop()

    asyncio.run(sweep_until_marked())
