"""Plain `def` jobs and steps work the same as async ones, in threads."""

import asyncio
import threading
import time
from typing import Any

import pytest

from runs import jobs
from runs.errors import StepFailed
from runs.jobs import StepContext, SyncStepContext, current_attempt, job
from runs.models import Checkpoint, RunStatus, Step
from runs.testing import drain
from tests.engine.driver import Driver, begin, events, types, until


def test_a_sync_job_runs_its_sync_steps_in_its_own_thread_and_async_ones_in_the_loop() -> None:
    threads: dict[str, str] = {}

    def note(where: str) -> str:
        threads[where] = threading.current_thread().name
        return where

    @job("mixed")
    def mixed(step: SyncStepContext) -> list[str]:
        async def later() -> str:
            await asyncio.sleep(0)
            return note("async step")

        note("job")
        return [step.run("sync", note, "sync step"), step.run("async", later)]

    run = begin(mixed)
    drain()
    assert jobs.get(run.id).output == ["sync step", "async step"]
    assert threads["job"] == threads["sync step"] != threads["async step"]


def test_sync_steps_of_an_async_job_do_not_hold_up_the_loop() -> None:
    barrier = threading.Barrier(3, timeout=60)

    @job("parallel")
    async def parallel(step: StepContext) -> list[int]:
        return list(await asyncio.gather(*[step.run(f"s{n}", barrier.wait) for n in range(3)]))

    run = begin(parallel)
    drain()
    assert sorted(jobs.get(run.id).output) == [0, 1, 2]


def test_a_sync_streaming_step_emits_saves_and_goes_on_from_what_it_saved(driver: Driver) -> None:
    seen: list[Any] = []

    @job("sync-streams")
    def sync_streams(step: SyncStepContext) -> Any:
        def count(emit: Any, checkpoint: Any) -> int:
            seen.append(checkpoint.last)
            for number in range(checkpoint.last or 0, 6):
                emit(number)
                checkpoint(number + 1)
                if number == 3 and current_attempt().number == 1:
                    while not current_attempt().cancelled:
                        time.sleep(0.002)
                    return -1
            return checkpoint.last or 0

        return step.stream("count", count)

    run = begin(sync_streams)
    driver.claim()
    until(lambda: Checkpoint.objects.filter(number=4).exists())
    driver.kill()
    drain()
    assert jobs.get(run.id).output == 6
    assert seen == [None, 4]
    assert [event.data["number"] for event in events(run) if event.type == "checkpoint:save"] == [1, 2, 3, 4, 5, 6]


ERRORS: list[type[BaseException]] = [KeyError, StopIteration, SystemExit, KeyboardInterrupt, GeneratorExit]


def test_whatever_a_sync_step_raises_fails_the_step_and_not_the_worker() -> None:
    def raises(name: str) -> None:
        raise next(error for error in ERRORS if error.__name__ == name)("bad")

    @job("sync-catches")
    def sync_catches(step: SyncStepContext) -> None:
        for error in ERRORS:
            with pytest.raises(StepFailed, match=error.__name__):
                step.run(error.__name__, raises, error.__name__)

    @job("async-catches")
    async def async_catches(step: StepContext) -> None:
        for error in ERRORS:
            with pytest.raises(StepFailed, match=error.__name__):
                await step.run(error.__name__, raises, error.__name__)

    runs = [begin(sync_catches), begin(async_catches)]
    drain()
    for run in runs:
        assert jobs.get(run.id).status == RunStatus.COMPLETED, jobs.get(run.id).error
        assert types(run).count("step:fail") == len(ERRORS)


def test_whatever_a_job_raises_fails_its_run_and_not_the_worker() -> None:
    def raises(name: str) -> None:
        raise next(error for error in ERRORS if error.__name__ == name)("bad")

    @job("sync-raises")
    def sync_raises(step: SyncStepContext, error: str) -> None:
        step.run("a", lambda: 1)
        raises(error)

    @job("async-raises")
    async def async_raises(step: StepContext, error: str) -> None:
        await step.run("a", lambda: 1)
        raises(error)

    runs = [(begin(one, error.__name__), error) for one in (sync_raises, async_raises) for error in ERRORS]
    drain()
    for run, error in runs:
        ended = jobs.get(run.id)
        assert ended.status == RunStatus.FAILED
        assert error.__name__ in ended.error["message"] + ended.error["type"]


def test_a_step_inside_a_sync_step_is_refused() -> None:
    @job("sync-nested")
    def sync_nested(step: SyncStepContext) -> None:
        step.run("outer", lambda: step.run("inner", lambda: 1))

    run = begin(sync_nested)
    drain()
    assert "StepOutsideJob" in jobs.get(run.id).error["message"]


def test_a_step_from_a_thread_of_the_job_s_own_is_refused() -> None:
    met: list[str] = []

    @job("own-thread")
    def own_thread(step: SyncStepContext) -> None:
        def elsewhere() -> None:
            try:
                step.progress(1)
            except Exception as exc:
                met.append(type(exc).__name__)

        thread = threading.Thread(target=elsewhere)
        thread.start()
        thread.join()

    begin(own_thread)
    drain()
    assert met == ["StepOutsideJob"]


def test_a_sync_job_crashed_in_a_step_goes_on_there(driver: Driver) -> None:
    calls: list[str] = []

    @job("sync-crash")
    def sync_crash(step: SyncStepContext) -> str:
        def call(name: str) -> str:
            calls.append(name)
            while calls.count("b") == 1 and not current_attempt().cancelled:
                time.sleep(0.002)
            return name

        return "".join(step.run(name, call, name) for name in "abc")

    run = begin(sync_crash)
    driver.claim()
    until(lambda: Step.objects.filter(name="b", status="running").exists())
    driver.kill()
    drain()
    assert jobs.get(run.id).output == "abc"
    assert calls == ["a", "b", "b", "c"]
    assert types(run).count("step:complete") == 3


def test_options_progress_and_log_work_in_a_sync_job() -> None:
    @job("sync-all")
    def sync_all(step: SyncStepContext) -> str:
        step.log.info("begins", number=1)
        step.progress(1, 2, "half")
        options = step.options(retries=jobs.Retry(max_attempts=2, initial=0))
        return str(options.run("flaky", lambda: 1 // (current_attempt().number - 1)))

    run = begin(sync_all, labels={"a": "b"})
    drain()
    assert jobs.get(run.id).output == "1"
    assert types(run)[2:4] == ["log:write", "run:progress"]
