"""A run does not leave memory while a result is on its way to disk, or to the code that waits for it."""

import asyncio
import time
from datetime import timedelta
from typing import Any

from runs import jobs
from runs.engine.store.commit import commit
from runs.engine.store.transitions import Entry
from runs.jobs import Job, StepContext, job
from runs.models import RunStatus
from runs.testing import drain
from tests.engine.driver import Driver, begin, until


def guarded(stall_seconds: float) -> Job:
    """Takes a signal in one task, and then takes back what another waits for."""

    @job("guarded")
    async def guarded(step: StepContext) -> str:
        async def alarm() -> None:
            await step.wait_for_signal("go")
            time.sleep(stall_seconds)  # noqa: ASYNC251  (the whole loop stands, as under a debugger or a busy host)
            raise ValueError

        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(step.sleep("nap", timedelta(days=1)))
                group.create_task(alarm())
        except* ValueError:
            pass
        return str(await step.run("after", lambda: "after"))

    return guarded


def test_a_stalled_loop_loses_no_progress_of_the_job_s_own_code(driver: Driver) -> None:
    run = begin(guarded(stall_seconds=0.3))
    jobs.signal(run.id, "go")
    driver.claim()
    until(lambda: jobs.get(run.id).status in (RunStatus.WAITING, RunStatus.COMPLETED))
    assert jobs.get(run.id).output == "after", jobs.get(run.id).reason


def test_a_slow_write_of_a_result_keeps_its_run_loaded() -> None:
    def slow(entries: list[Entry]) -> Any:
        if any(row.status == "completed" for entry in entries for row in entry.step_rows()):
            time.sleep(0.3)
        return commit(entries)

    run = begin(guarded(stall_seconds=0))
    jobs.signal(run.id, "go")
    with Driver(commit=slow) as driver:
        driver.claim()
        until(lambda: jobs.get(run.id).status in (RunStatus.WAITING, RunStatus.COMPLETED))
    assert jobs.get(run.id).output == "after", jobs.get(run.id).reason
    assert drain() == []
