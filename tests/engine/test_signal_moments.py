"""Whenever a signal comes, it is consumed once, and no step is started again because of it."""

import asyncio
import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, connections, transaction

from runs import jobs
from runs.jobs import StepContext, job
from runs.models import Run, Signal, Step
from runs.testing import drain
from tests.engine.driver import Driver, begin, events, until


class Scene:
    """A run that works, waits for a signal and works again; `go` lets its first step end."""

    def __init__(self, driver: Driver) -> None:
        self.driver = driver
        self.calls: list[str] = []
        self.go = threading.Event()

        @job("works-and-waits")
        async def works_and_waits(step: StepContext) -> Any:
            await step.run("work", self.work)
            found = await step.wait_for_signal("go")
            await step.run("after", self.calls.append, "after")
            return found

        self.run = begin(works_and_waits)

    async def work(self) -> None:
        self.calls.append("work")
        await asyncio.to_thread(self.go.wait, 20)

    def claim(self) -> None:
        self.driver.claim()
        until(lambda: self.calls)

    def send(self, **options: Any) -> None:
        jobs.signal(self.run.id, "go", {"n": 1}, **options)

    def has_ended(self) -> bool:
        self.driver.claim()
        return jobs.get(self.run.id).has_ended


def while_a_step_runs(scene: Scene) -> None:
    scene.claim()
    scene.send()
    scene.go.set()


def before_the_wait(scene: Scene) -> None:
    scene.send()
    scene.go.set()


def while_the_worker_is_dead(scene: Scene) -> None:
    scene.go.set()
    scene.claim()
    until(lambda: Step.objects.filter(kind="signal").exists())
    scene.driver.kill()
    scene.send()
    drain()


def twice_at_once_with_one_key(scene: Scene) -> None:
    scene.claim()
    together = threading.Barrier(2)

    def send() -> None:
        try:
            together.wait(60)
            scene.send(idempotency_key="once")
        finally:
            connections.close_all()

    _in_threads(send, send)
    scene.go.set()


def in_a_request_that_stays_in_its_transaction(scene: Scene) -> None:
    """It holds the run's row (on SQLite all rows) while the run ends its step and looks for signals."""
    seconds = 2.0 if connection.vendor == "postgresql" else 0.5

    def send() -> None:
        try:
            with transaction.atomic():
                scene.send()
                scene.go.set()
                threading.Event().wait(seconds)
        finally:
            connections.close_all()

    scene.claim()
    _in_threads(send)


def _in_threads(*functions: Callable[[], None]) -> None:
    threads = [threading.Thread(target=function) for function in functions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)


@pytest.mark.parametrize(
    "send",
    [
        while_a_step_runs,
        before_the_wait,
        while_the_worker_is_dead,
        twice_at_once_with_one_key,
        in_a_request_that_stays_in_its_transaction,
    ],
    ids=lambda function: str(function.__name__),
)
def test_a_signal_is_consumed_once_and_starts_no_step_again(driver: Driver, send: Callable[[Scene], None]) -> None:
    scene = Scene(driver)
    send(scene)
    if send is not while_the_worker_is_dead:
        until(scene.has_ended)
    assert jobs.get(scene.run.id).output == {"n": 1}, jobs.get(scene.run.id).error
    assert scene.calls == ["work", "after"]
    assert list(Signal.objects.values_list("consumed_by", flat=True)) == ["signal:go#1"]
    assert _starts(scene.run) == {"work": 1, "signal:go#1": 1, "after": 1}
    found = Counter(str(event.type) for event in events(scene.run))
    assert (found["signal:receive"], found["signal:consume"], found["step:complete"]) == (1, 1, 3)


def _starts(run: Run) -> Counter[str]:
    return Counter(str(event.step) for event in events(run) if event.type == "step:start")
