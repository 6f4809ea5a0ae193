"""`step.transaction`: the function's ORM writes and the step's record are one commit."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import connections, transaction

from runs import jobs
from runs.engine import transactional
from runs.jobs import StepContext, SyncStepContext, current_attempt, job
from runs.models import RunStatus, Step
from runs.testing import advance, drain
from tests.engine.driver import Driver, begin, types, until


def make(name: str = "made") -> str:
    return Group.objects.create(name=name).name


def groups() -> list[str]:
    return sorted(Group.objects.values_list("name", flat=True))


def step_types(run: Any) -> list[str]:
    return [one for one in types(run) if one.startswith("step:")]


def test_the_row_and_the_record_are_there_once_and_the_replay_does_not_call_again() -> None:
    @job("writes")
    async def writes(step: StepContext) -> str:
        name = await step.transaction("make", make, "made")
        await step.sleep("nap", timedelta(days=1))
        return name

    run = begin(writes)
    drain()
    advance(timedelta(days=1))
    drain()
    assert (jobs.get(run.id).output, groups()) == ("made", ["made"])
    assert step_types(run)[:2] == ["step:start", "step:complete"]


def test_what_the_function_raises_takes_its_writes_back_and_is_retried() -> None:
    calls: list[int] = []

    def fails_first() -> str:
        calls.append(current_attempt().number)
        make(f"try {len(calls)}")
        if len(calls) < 3:
            raise ZeroDivisionError
        return "third"

    @job("retries")
    async def retries(step: StepContext) -> str:
        patient = step.options(retries=jobs.Retry(max_attempts=3, initial=0))
        return await patient.transaction("make", fails_first)

    run = begin(retries)
    drain()
    assert (jobs.get(run.id).output, groups(), calls) == ("third", ["try 3"], [1, 2, 3])
    assert step_types(run) == ["step:start", "step:retry"] * 2 + ["step:start", "step:complete"]


def test_a_result_that_cannot_be_stored_takes_the_writes_back() -> None:
    def bad() -> Any:
        make()
        return object()

    @job("bad-result")
    async def bad_result(step: StepContext) -> None:
        await step.transaction("make", bad)

    run = begin(bad_result)
    drain()
    assert (jobs.get(run.id).error["type"], groups()) == ("StepFailed", [])
    assert step_types(run) == ["step:start", "step:fail"]


def test_a_result_of_another_type_than_it_says_takes_the_writes_back() -> None:
    def lies() -> set[int]:
        make()
        return ["no number"]  # type: ignore[return-value]

    @job("lies")
    async def lying(step: StepContext) -> None:
        await step.transaction("make", lies)

    run = begin(lying)
    drain()
    assert (jobs.get(run.id).status, groups()) == (RunStatus.FAILED, [])
    assert Step.objects.get().status == "failed"


@pytest.mark.parametrize("plain", [False, True], ids=["async job", "plain job"])
def test_a_lost_lease_takes_the_writes_back(driver: Driver, on_postgresql: bool, plain: bool) -> None:
    """On SQLite nobody else can write meanwhile: there the function itself moves the token on."""
    inside, go = threading.Event(), threading.Event()

    def slow() -> None:
        make()
        inside.set()
        go.wait(10)
        if not on_postgresql:
            jobs.Run.objects.filter(id=run.id).update(lease_token=99)

    if plain:

        @job("loses")
        def loses(step: SyncStepContext) -> None:
            step.transaction("make", slow)
    else:

        @job("loses")
        async def loses(step: StepContext) -> None:
            await step.transaction("make", slow)

    run = begin(loses)
    driver.claim()
    assert inside.wait(10)
    if on_postgresql:
        jobs.cancel(run.id)
    go.set()
    assert driver.outcome(run).value == "lost"
    driver.kill()
    assert groups() == []
    assert "step:complete" not in types(run)


def test_a_step_inside_is_refused_and_steps_after_it_work() -> None:
    refused: list[str] = []

    @job("nests")
    def nests(step: SyncStepContext) -> str:
        def nested() -> None:
            try:
                step.run("inner", lambda: 1)
            except Exception as exc:
                refused.append(type(exc).__name__)

        step.transaction("outer", nested)
        step.state.set({"after": True})
        return str(step.run("after", lambda: "fine"))

    run = begin(nests)
    drain()
    assert jobs.get(run.id).output == "fine", jobs.get(run.id).error
    assert refused == ["StepOutsideJob"]
    assert not Step.objects.filter(name="inner").exists()


def test_other_writes_of_the_run_queue_behind_it_in_order() -> None:
    @job("noisy")
    async def noisy(step: StepContext) -> list[Any]:
        async def other(number: int) -> int:
            step.log.info(f"line {number}")
            return await step.run(f"other {number}", lambda: number)

        return list(await asyncio.gather(step.transaction("make", make), *(other(number) for number in range(5))))

    run = begin(noisy)
    drain()
    assert jobs.get(run.id).output == ["made", 0, 1, 2, 3, 4]
    assert types(run).count("step:complete") == 6


def test_a_cancelled_wait_for_the_writer_leaves_the_run_writable(driver: Driver) -> None:
    """The job cancels the call before the run's earlier writes are done."""
    tasks: list[asyncio.Task[Any]] = []
    locked, release = threading.Event(), threading.Event()

    @job("cancels-early")
    async def cancels_early(step: StepContext) -> str:
        while not locked.is_set():
            await asyncio.sleep(0.001)
        step.log.info("cannot be written yet")
        tasks.append(asyncio.create_task(step.transaction("make", make)))
        await asyncio.wait(tasks)
        return await step.run("after", lambda: "fine")

    def hold() -> None:
        try:
            with transaction.atomic():
                jobs.Run.objects.select_for_update(no_key=True).get(id=run.id)
                locked.set()
                release.wait(10)
        finally:
            connections.close_all()

    run = begin(cancels_early)
    driver.claim()
    holder = threading.Thread(target=hold)
    holder.start()
    execution = until(lambda: driver.executions)[0]
    until(lambda: tasks and execution._handle.pending)
    cancelled = threading.Event()
    driver.call(tasks[0].cancel)
    driver.call(cancelled.set)
    assert cancelled.wait(10)
    release.set()
    holder.join()
    until(lambda: jobs.get(run.id).has_ended)
    assert (jobs.get(run.id).output, groups()) == ("fine", [])


def test_a_row_that_is_held_for_long_has_the_function_called_again(
    driver: Driver, monkeypatch: pytest.MonkeyPatch, on_postgresql: bool
) -> None:
    monkeypatch.setattr(transactional, "LOCK_SECONDS", 0.05)
    calls: list[int] = []
    release = threading.Event()

    def count() -> None:
        calls.append(1)
        make(f"try {len(calls)}")

    def hold() -> None:
        try:
            with transaction.atomic():
                jobs.Run.objects.select_for_update(no_key=True).get(id=run.id)
                locked.set()
                release.wait(10 if on_postgresql else 0.1)
        finally:
            connections.close_all()

    @job("held-up")
    async def held_up(step: StepContext) -> None:
        while not locked.is_set():
            await asyncio.sleep(0.001)
        await step.transaction("make", count)

    locked = threading.Event()
    run = begin(held_up)
    driver.claim()
    holder = threading.Thread(target=hold)
    holder.start()
    if on_postgresql:
        until(lambda: len(calls) == 2)
    release.set()
    holder.join()
    until(lambda: jobs.get(run.id).has_ended)
    assert jobs.get(run.id).status == RunStatus.COMPLETED, jobs.get(run.id).error
    assert groups() == [f"try {len(calls)}"]


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_worker_that_dies_around_the_commit_leaves_the_row_once(
    driver: Driver, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    """The process ends between the function and its commit, or between the commit and what comes of it."""
    real = transactional._once
    write_last = transactional._write_last
    died: list[int] = []

    def die_before(entry: Any) -> None:
        if died:
            return write_last(entry)
        died.append(1)
        raise transactional.Suspended  # as the end of the process: nothing is committed, nothing is told

    def die_after(*args: Any) -> Any:
        value = real(*args)
        if not died:
            died.append(1)
            raise transactional.Suspended
        return value

    monkeypatch.setattr(transactional, "_write_last" if when == "before" else "_once",
                        die_before if when == "before" else die_after)  # fmt: skip

    @job("dies")
    async def dies(step: StepContext) -> str:
        name = await step.transaction("make", make)
        return await step.run("after", lambda: name)

    run = begin(dies)
    driver.claim()
    driver.outcome(run)
    driver.kill()
    assert groups() == ([] if when == "before" else ["made"])
    drain()
    assert (jobs.get(run.id).output, groups()) == ("made", ["made"])
    assert types(run).count("step:complete") == 2


_KILLED = """
import os, signal, sys
import django
django.setup()
from django.db import connections
from django.contrib.auth.models import Group
connections.databases["default"]["NAME"] = sys.argv[2]
from runs.engine import transactional
from runs.jobs import job
from runs.testing import drain

when, once = sys.argv[1], transactional._once

def killed(*args):
    if when == "after":
        once(*args)
    os.kill(os.getpid(), signal.SIGKILL)

if when == "before":
    transactional._write_last = killed
else:
    transactional._once = killed

@job("is-killed")
async def is_killed(step):
    return await step.transaction("make", lambda: Group.objects.create(name="made").name)

drain()
"""


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_process_killed_around_the_commit_leaves_the_row_once(when: str) -> None:
    @job("is-killed")
    async def is_killed(step: StepContext) -> str:
        return await step.transaction("make", make)

    run = begin(is_killed)
    name = str(connections["default"].settings_dict["NAME"])
    killed = subprocess.run([sys.executable, "-c", _KILLED, when, name], env=_environment(), check=False, timeout=60)
    assert killed.returncode == -signal.SIGKILL
    assert groups() == ([] if when == "before" else ["made"])
    advance(timedelta(hours=2))  # past the lease of the dead
    drain()
    assert (jobs.get(run.id).output, groups()) == ("made", ["made"])
    assert step_types(run)[-1] == "step:complete"


def _environment() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
