"""A handler under way and the job beside it take the same way after a kill."""

import asyncio
import threading
from typing import Any

import pytest

from runs import jobs
from runs.jobs import Job, StepContext, SyncStepContext, job
from runs.models import Run, RunStatus, State
from runs.testing import drain
from tests.engine.driver import Driver, begin, events, until
from tests.engine.test_replay import forever


class Shape:
    """A handler of three steps and a job of two; the one named `at` does not come back the first time."""

    def __init__(self, at: str) -> None:
        self.at, self.calls = at, list[str]()

    async def call(self, name: str) -> str:
        self.calls.append(name)
        if name == self.at and self.calls.count(name) == 1:
            await forever()
        return name

    def job(self) -> Job:
        @job("shape")
        async def shape(step: StepContext) -> Any:
            await step.run("j1", self.call, "j1")
            before = step.state.value
            await step.wait_for_signal("go")
            after = step.state.value
            return [before, after, await step.run("j2", self.call, "j2"), step.state.value]

        @shape.update
        async def change(step: StepContext) -> list[str]:
            step.log.info("changing")
            first = await step.run("h1", self.call, "h1")
            step.state.update(one=first)
            both = await asyncio.gather(step.run("h2", self.call, "h2"), step.run("h3", self.call, "h3"))
            step.state.update(three=both)
            return [first, *both]

        return shape


@pytest.mark.parametrize("at", ["j1", "h1", "h2", "h3", "j2", "nowhere"])
def test_a_kill_at_a_step_changes_nothing(driver: Driver, at: str) -> None:
    shape = Shape(at)
    run = begin(shape.job())
    if at == "nowhere":
        drain()
    sent = jobs.update(run.id, "change")
    drive_until(driver, run, shape, lambda: jobs.get_update(run.id, sent.id).status == "completed")
    jobs.signal(run.id, "go")
    drive_until(driver, run, shape, lambda: jobs.get(run.id).has_ended)
    ended = jobs.get(run.id)
    done = {"one": "h1", "three": ["h2", "h3"]}
    assert ended.status == RunStatus.COMPLETED, ended.error
    assert ended.output in ([{}, done, "j2", done], [done, done, "j2", done])
    assert jobs.get_update(run.id, sent.id).result == ["h1", "h2", "h3"]
    together = ("h2", "h3") if at in ("h2", "h3") else ()
    for name in ("j1", "j2", "h1", "h2", "h3"):
        assert shape.calls.count(name) in ((2,) if name == at else (1, 2) if name in together else (1,))
    told = [one.type for one in events(run) if one.type in ("update:accept", "update:complete", "log:write")]
    assert told == ["update:accept", "log:write", "update:complete"]


def drive_until(driver: Driver, run: Run, shape: Shape, done: Any) -> None:
    if shape.at not in shape.calls and shape.at != "nowhere":
        driver.claim()
        until(lambda: shape.at in shape.calls or (done() and jobs.get(run.id).status != RunStatus.RUNNING))
    if shape.at in shape.calls and shape.calls.count(shape.at) == 1 and not done():
        driver.kill()
    drain()
    assert done()


def test_a_handler_that_is_under_way_sees_the_state_as_it_was_when_it_began() -> None:
    met: list[Any] = []

    @job("moves-on")
    async def moves_on(step: StepContext) -> Any:
        for number in range(3):
            step.state.update(round=number, own=number)
            await step.wait_for_signal("next")
        return step.state.value

    @moves_on.update
    async def slow(step: StepContext) -> Any:
        before = step.state.get("round")
        await step.wait_for_signal("say")
        met.append([before, step.state.get("round")])
        step.state.patch([{"op": "remove", "path": "/own"}])
        step.state.update(slow=before)
        return before

    run = begin(moves_on)
    drain()
    sent = jobs.update(run.id, "slow")
    drain()
    for _ in range(2):
        jobs.signal(run.id, "next")
        drain()
    jobs.signal(run.id, "say")
    drain()
    assert (jobs.get_update(run.id, sent.id).result, met) == (0, [[0, 0]])
    assert State.objects.get(run=run).value == {"round": 2, "slow": 0}
    jobs.signal(run.id, "next")
    drain()
    assert jobs.get(run.id).output == {"round": 2, "slow": 0}


def test_a_plain_def_job_sees_the_same_after_a_kill(driver: Driver) -> None:
    seen: list[list[Any]] = []
    hang = [True]
    go = threading.Event()

    @job("plain")
    def plain(step: SyncStepContext) -> Any:
        looks: list[Any] = []
        seen.append(looks)
        for _ in range(3):
            looks.append(step.state.get("told"))
            step.wait_for_signal("next")
        if hang:
            hang.clear()
            go.wait(60)
        return [*looks, step.state.get("told")]

    @plain.update
    async def tell(step: StepContext, what: str) -> None:
        step.state.update(told=what)

    run = begin(plain)
    for number in range(2):
        drain()
        jobs.update(run.id, "tell", f"t{number}")
        drain()
        jobs.signal(run.id, "next")
    jobs.signal(run.id, "next")
    driver.claim()
    until(lambda: not hang)
    go.set()
    driver.kill()
    drain()
    assert jobs.get(run.id).output == [None, "t0", "t1", "t1"]
    assert all(looks == [None, "t0", "t1"][: len(looks)] for looks in seen)
