"""An error of the engine's own is never swallowed: the driver that met it ends, and its runs go on elsewhere."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from runs import jobs
from runs.engine.execute import Execution
from runs.jobs import StepContext, job
from runs.models import Run, Worker
from runs.testing import drain, temporary_jobs
from runs.worker import claims, loaded, sweeps
from runs.worker.driver import Ending
from tests.worker.driven_here import drive_here

pytestmark = pytest.mark.django_db(transaction=True)

PLACES = {
    "recovering a run": (Execution, "_drive_job"),
    "claiming": (claims, "claim"),
    "looking after loaded runs": (loaded, "fetch_leases"),
    "sweeping": (sweeps, "sweep"),
}


@pytest.fixture
def run() -> Iterator[Run]:
    with temporary_jobs():

        @job("patient")
        async def patient(step: StepContext) -> str:
            return await step.run("work", asyncio.sleep, 1.5, "done")

        yield jobs.start(patient).run


@pytest.mark.parametrize("place", PLACES)
def test_a_driver_whose_part_fails_ends_and_its_run_goes_on(
    run: Run, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, place: str
) -> None:
    owner, name = PLACES[place]
    with monkeypatch.context() as broken:
        broken.setattr(owner, name, _fail)
        assert drive_here(lambda: asyncio.sleep(20)) is Ending.BROKEN
    assert "a bug of the engine" in caplog.text
    assert not Worker.objects.exists(), "its lease is given back"
    drain()  # what it could not end itself
    assert jobs.get(run.id).output == "done"


def _fail(*args: Any, **kwargs: Any) -> Any:
    raise AssertionError("a bug of the engine")
