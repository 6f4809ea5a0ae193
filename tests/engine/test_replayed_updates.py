"""What an update changed is seen at the same places of the job's code by every later execution of it."""

import asyncio
from collections import defaultdict
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runs import jobs
from runs.engine.rehearsal import Fit, rehearse
from runs.jobs import Job, StepContext, job
from runs.models import Run, RunStatus, Signal, State, Step
from runs.testing import drain
from tests.engine.driver import Driver, begin, events, until

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
