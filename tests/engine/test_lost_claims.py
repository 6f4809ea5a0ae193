"""A claim whose answer was lost is committed all the same: its runs are driven by the worker that has them."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from django.db import OperationalError

from runs.engine.claim import claim
from runs.jobs import StepContext, job
from runs.models import Run, Worker
from runs.testing import frozen_worker
from runs.worker import claims
from runs.worker.threads import DatabaseThread
from tests.engine.driver import begin


class LossyDatabase(DatabaseThread):
    """Loses its connection when the first claim is committed."""

    def __init__(self) -> None:
        super().__init__("lossy")
        self.claims = 0

    async def call(self, fn: Callable[..., Any], *args: Any) -> Any:
        found = await super().call(fn, *args)
        self.claims += fn is claim
        if fn is claim and self.claims == 1:
            raise OperationalError("server closed the connection unexpectedly")
        return found


async def claim_until(worker: Worker, claimed_often: int) -> list[Run]:
    """What a worker begins to drive until it has claimed so often."""
    database, begun = LossyDatabase(), list[Run]()
    loop = claims.Claims(
        worker.id, database, lambda: len(begun), lambda: 32, begun.append,
        lambda: {(run.id, run.lease_token) for run in begun},
    )  # fmt: skip
    running = asyncio.create_task(loop.run())
    async with asyncio.timeout(60):
        while database.claims < claimed_often:
            loop.ring()
            await asyncio.sleep(0.01)
        loop.close()
        await running
    await database.stop()
    return begun


def test_the_runs_of_a_claim_whose_answer_was_lost_are_driven_once(monkeypatch: pytest.MonkeyPatch) -> None:
    @job("claimed")
    async def claimed(step: StepContext) -> None: ...

    monkeypatch.setattr(claims, "POLL_SECONDS", 0.01)
    runs = [begin(claimed) for _ in range(3)]
    begun = asyncio.run(claim_until(frozen_worker(), 4))
    assert sorted(run.id for run in begun) == sorted(run.id for run in runs)
    assert {run.lease_token for run in begun} == {1}
