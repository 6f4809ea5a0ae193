"""Time in tests: it stands still, is moved, and goes on afterwards."""

import time
from datetime import UTC, datetime, timedelta

import pytest

from runs import clock, jobs
from runs.jobs import Retry, StepContext, job
from runs.models import Event, Run, RunStatus
from runs.testing import advance, drain, freeze, run_to_end, signal


def database_time() -> datetime:
    Run.objects.create(job="x", created_at=clock.now(), run_at=clock.now(), due_at=None)
    Run.objects.update(due_at=clock.sql_now())
    found = Run.objects.values_list("due_at", flat=True).get()
    Run.objects.all().delete()
    assert found is not None
    return found


def test_time_stands_still_for_the_process_and_the_database() -> None:
    with freeze():
        before = clock.now()
        time.sleep(0.01)
        assert clock.now() == database_time() == before
        advance(timedelta(days=400))
        assert clock.now() == database_time() == before + timedelta(days=400)
        with freeze():
            assert clock.now() == before + timedelta(days=400)
            advance(timedelta(days=1))
        assert clock.now() == before + timedelta(days=400)
    assert abs(clock.now() - datetime.now(UTC)) < timedelta(seconds=1)


def test_what_is_recorded_has_the_time_that_stands() -> None:
    @job("quick")
    async def quick(step: StepContext) -> None:
        await step.run("a", lambda: None)

    with freeze():
        advance(timedelta(days=-30))
        at = clock.now()
        run = jobs.start(quick).run
        drain()
        ended = jobs.get(run.id)
    assert {ended.created_at, ended.started_at, ended.claimed_at, ended.finished_at} == {at}
    assert {event.created_at for event in Event.objects.filter(run=ended)} == {at}
    assert ended.active_ms == 0


def test_even_the_shortest_sleep_waits_for_the_clock() -> None:
    @job("naps")
    async def naps(step: StepContext) -> str:
        await step.sleep("nap", timedelta(milliseconds=1))
        return "awake"

    with freeze():
        run = jobs.start(naps).run
        drain()
        assert jobs.get(run.id).status == RunStatus.WAITING
        advance(timedelta(milliseconds=1))
        drain()
        assert jobs.get(run.id).output == "awake"


def test_a_run_of_years_ends_in_moments() -> None:
    tries: list[int] = []

    def flaky() -> str:
        tries.append(1)
        if len(tries) < 3:
            raise ValueError("not yet")
        return "done"

    @job("years", retries=Retry(max_attempts=3, initial=3600))
    async def years(step: StepContext) -> str:
        for year in range(5):
            await step.sleep(f"year {year}", timedelta(days=365))
        return await step.run("flaky", flaky)

    begun = time.monotonic()
    with freeze():
        run = jobs.start(years, run_at=clock.now() + timedelta(days=10)).run
        at = clock.now()
        assert run_to_end(run).output == "done"
        assert timedelta(days=5 * 365 + 10) < clock.now() - at < timedelta(days=5 * 365 + 12)
    assert time.monotonic() - begun < 60


def test_run_to_end_says_what_the_run_waits_for() -> None:
    @job("asks")
    async def asks(step: StepContext) -> str:
        return str(await step.wait_for_signal("word"))

    run = jobs.start(asks).run
    with pytest.raises(AssertionError, match="signal word"):
        run_to_end(run)
    signal(run, "word", "xyzzy")
    assert run_to_end(run.id).output == "xyzzy"
    assert run_to_end(str(run.id)).status == RunStatus.COMPLETED
