"""What an update changed is seen at the same places of the job's code by every later execution of it."""

import asyncio
import threading
from collections import defaultdict
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runs import jobs
from runs.engine.rehearsal import Fit, rehearse
from runs.jobs import Job, StepContext, SyncStepContext, job
from runs.models import Run, RunStatus, Signal, State, Step
from runs.testing import drain
from tests.engine.driver import Driver, begin, events, until
from tests.engine.test_replay import forever

ROUNDS = 4


class Watched:
    """Jobs that look at the state between their waits; `seen` holds every look of every execution, by its place."""

    def __init__(self) -> None:
        self.seen: dict[str, list[Any]] = defaultdict(list)
        self.calls: list[str] = []

    def look(self, step: Any, place: str) -> Any:
        self.seen[place].append(step.state.get("told", 0))
        return step.state.get("told", 0)

    async def walk(self, step: StepContext, label: str) -> list[Any]:
        found = []
        for number in range(ROUNDS):
            found.append(self.look(step, f"{label}{number}"))
            await step.wait_for_signal(label, name=f"{label}{number}")
        return [*found, self.look(step, f"{label}-end")]

    async def alone(self, step: StepContext) -> Any:
        return await self.walk(step, "a")

    async def together(self, step: StepContext) -> Any:
        first = self.look(step, "first")
        both = await asyncio.gather(self.walk(step, "a"), self.walk(step, "b"))
        return [first, *both, self.look(step, "last")]

    async def in_a_race(self, step: StepContext) -> Any:
        won = await step.race("race", {"a": lambda one: self.walk(one, "a"), "b": lambda one: self.walk(one, "b")})
        after = self.look(step, "after")
        await step.wait_for_signal("end")
        return [won.name, after, self.look(step, "last")]

    def job(self, shape: str, *, takes_updates: bool = True) -> Job:
        @job("watched")
        async def watched(step: StepContext) -> Any:
            step.state.update(begun=True)
            return await getattr(self, shape)(step)

        if takes_updates:
            self.add_update(watched)
        return watched

    def add_update(self, watched: Job) -> None:
        @watched.update
        async def tell(step: StepContext, by: int) -> int:
            told = int(step.state.get("told", 0)) + by
            if by > 1:
                await step.wait_for_signal("allow", name="allow")
            step.state.update(told=told)
            return told


ACTIONS = st.lists(st.sampled_from(["a", "b", "tell", "tell and wait", "allow", "lose"]), min_size=4, max_size=12)


@pytest.mark.parametrize("shape", ["alone", "together", "in_a_race"])
def test_every_execution_sees_the_same_state_at_the_same_place(shape: str, settings: Any) -> None:
    settings.RUNS_UNLOAD_AFTER = 0.0
    _try_many(shape)


def _try_many(shape: str) -> None:
    @settings(max_examples=4, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    @given(actions=ACTIONS)
    def act(actions: list[str]) -> None:
        watched = Watched()
        run = begin(watched.job(shape))
        for action in actions:
            take(action, run)
        finish(run)
        assert_told_once(run, actions)
        assert_agrees(watched, run)

    act()


def take(action: str, run: Run) -> None:
    if jobs.get(run.id).has_ended:
        return
    if action == "lose":
        lose_while_loaded(run)
    elif action.startswith("tell"):
        jobs.update(run.id, "tell", 2 if action == "tell and wait" else 1)
    else:
        jobs.signal(run.id, action)
    if action != "tell":  # it meets the next signal in one execution
        drain()


def lose_while_loaded(run: Run) -> None:
    jobs.signal(run.id, "nobody waits for this")
    with Driver() as driver:
        driver.claim()
        until(lambda: driver.executions == [] or driver.executions[0].history.asked or driver.outcomes)
        driver.kill()


def finish(run: Run) -> None:
    for _ in range(30):
        if jobs.get(run.id).has_ended:
            return
        for name in ("a", "b", "allow", "end"):
            jobs.signal(run.id, name)
        drain()
    raise AssertionError(f"it does not end: {jobs.get(run.id).status} {jobs.get(run.id).error}")


def assert_told_once(run: Run, actions: list[str]) -> None:
    ended = jobs.get(run.id)
    assert ended.status == RunStatus.COMPLETED, ended.error
    updates = Signal.objects.filter(run=run, kind="update").order_by("id")
    told, results = 0, []
    for update in updates:
        told += update.payload
        results.append(told)
    assert [update.result for update in updates] == results
    assert State.objects.get(run=run).value.get("told", 0) == told
    ends = [one.data["result"] for one in events(run) if one.type == "update:complete"]
    assert ends == results


def assert_agrees(watched: Watched, run: Run) -> None:
    """Looks before a recorded step agree; the last look of an execution that was lost may be of an older state."""
    recorded = set(Step.objects.filter(run=run).values_list("name", flat=True))
    places = {place: values for place, values in watched.seen.items() if place in recorded}
    assert {place: set(values) for place, values in places.items() if len(set(values)) > 1} == {}
    assert rehearse(jobs.get(run.id)).fit is Fit.OK


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
            go.wait(10)
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


def test_a_fork_has_what_updates_changed_before_its_step() -> None:
    watched = Watched()
    run = begin(watched.job("alone"))
    drain()
    jobs.update(run.id, "tell", 2)
    drain()
    for number in range(ROUNDS):
        jobs.signal(run.id, "a")
        drain()
        if number == 0:
            jobs.signal(run.id, "allow")
            drain()
        if number < ROUNDS - 1:
            jobs.update(run.id, "tell", 1)
            drain()
    assert jobs.get(run.id).output == [0, 0, 3, 4, 5]
    forked = jobs.fork(run.id, "a2")
    for _ in range(2):
        drain()
        jobs.signal(forked.id, "a")
    drain()
    ended = jobs.get(forked.id)
    assert ended.status == RunStatus.COMPLETED, ended.error
    assert ended.output[:3] == jobs.get(run.id).output[:3]
    assert ended.output[3:] == [ended.output[2]] * 2, "later updates were the old run's"


def test_handlers_that_a_deploy_took_away_leave_no_step_missing() -> None:
    watched = Watched()
    run = begin(watched.job("alone"))
    drain()
    jobs.update(run.id, "tell", 2)
    drain()
    jobs.signal(run.id, "allow")
    drain()

    watched.job("alone", takes_updates=False)
    for _ in range(ROUNDS):
        jobs.signal(run.id, "a")
    drain()
    assert jobs.get(run.id).output == [0, 2, 2, 2, 2]
