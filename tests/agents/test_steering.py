"""People steer a run: it waits between steps, hears what is told, is interrupted, also over replays."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db import connections

from flows.agents.execution.steering import INTERRUPT, Interrupted, Steering, attach, continue_signal
from runs import clock, jobs
from runs.errors import InvalidArguments, UpdateRefused
from runs.jobs import Job, StepContext, job
from runs.models import Run, RunStatus, State, Step
from runs.testing import crash_after, drain, temporary_jobs

ROUNDS = 3


@pytest.fixture(autouse=True)
def _own_world(transactional_db: None, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    settings.RUNS_UNLOAD_AFTER = 0.05
    monkeypatch.setattr(clock, "_offset", timedelta(0))
    with temporary_jobs():
        yield


class Worked:
    """What the agents of the test's loop were handed, by every execution."""

    def __init__(self) -> None:
        self.begun: list[str] = []

    def job(self, *, single_step: bool = False, interventions: Any = "next_step", interrupted_by: str = "") -> Job:
        """A loop as the flow's: a boundary, then an agent's work, ROUNDS times. Interrupted, it has no other end."""

        def send(text: str) -> None:
            try:
                jobs.signal(Run.objects.get().id, INTERRUPT, {"text": text})
            finally:
                connections.close_all()

        async def agent(name: str, said: list[str]) -> dict[str, Any]:
            self.begun.append(name)
            if interrupted_by and not said:
                await asyncio.to_thread(send, interrupted_by)
                await asyncio.Event().wait()
            return {"name": name, "said": said}

        @job("steered")
        async def steered(step: StepContext) -> list[Any]:
            steering = Steering(step, single_step=single_step, interventions=interventions)
            said: list[str] = []
            done: list[Any] = []
            for number in range(1, ROUNDS + 1):
                said += await steering.at_boundary(number, "work")
                name = f"{number}. work"
                ended = await steering.interruptible(
                    name, partial(step.run, name, agent, name, list(said)), dict[str, Any]
                )
                if isinstance(ended, Interrupted):
                    said.append(ended.message)
                done.append(ended.message if isinstance(ended, Interrupted) else ended["said"])
            return done

        attach(steered)
        return steered


def go_on(run: Run, iteration: int, mode: str = "step") -> Run:
    jobs.update(run.id, "go_on", {"iteration": iteration, "mode": mode})
    drain()
    return jobs.get(run.id)


def tell(run: Run, text: str) -> None:
    jobs.update(run.id, "tell", {"text": text})


def test_in_single_step_mode_a_run_waits_before_each_further_step_and_holds_no_worker() -> None:
    worked = Worked()
    run = jobs.start(worked.job(single_step=True)).run
    drain()
    assert worked.begun == ["1. work"]
    assert (jobs.get(run.id).status, jobs.get(run.id).reason) == (RunStatus.WAITING, "signal continue:2")
    assert go_on(run, 2).status == RunStatus.WAITING
    assert worked.begun == ["1. work", "2. work"]
    assert go_on(run, 3).output == [[], [], []]
    assert worked.begun == ["1. work", "2. work", "3. work"]


def test_a_second_click_is_not_taken_for_a_look_at_the_next_step() -> None:
    run = jobs.start(Worked().job(single_step=True)).run
    drain()
    go_on(run, 2)
    with pytest.raises(UpdateRefused, match="does not wait before iteration 2"):
        go_on(run, 2)
    jobs.signal(run.id, continue_signal(2), {"mode": "run"})
    drain()
    assert jobs.get(run.id).reason == "signal continue:3"


def test_somebody_may_let_it_run_to_the_end() -> None:
    run = jobs.start(Worked().job(single_step=True)).run
    drain()
    assert go_on(run, 2, "run").status == RunStatus.COMPLETED


def test_a_signal_of_another_shape_goes_one_step_on() -> None:
    run = jobs.start(Worked().job(single_step=True)).run
    drain()
    jobs.signal(run.id, continue_signal(2), ["run"])
    drain()
    assert jobs.get(run.id).reason == "signal continue:3"


def test_the_mode_can_be_switched_on_and_off_while_a_run_waits() -> None:
    run = jobs.start(Worked().job(single_step=True)).run
    drain()
    jobs.update(run.id, "single_step", {"on": False})
    assert go_on(run, 2).status == RunStatus.COMPLETED
    run = jobs.start("steered").run
    drain()
    jobs.update(run.id, "single_step", {"on": False})
    jobs.update(run.id, "single_step", {"on": True})
    assert go_on(run, 2).reason == "signal continue:3"


def test_what_is_told_reaches_the_next_step_once_and_no_step_is_recorded_for_it() -> None:
    run = jobs.start(Worked().job(single_step=True)).run
    drain()
    tell(run, "Use tabs.")
    tell(run, "And no semicolons.")
    go_on(run, 2)
    assert go_on(run, 3).output == [[], ["Use tabs.", "And no semicolons."], ["Use tabs.", "And no semicolons."]]
    names = set(Step.objects.filter(run=run).values_list("name", flat=True))
    assert names == {
        "1. work",
        "2. work",
        "3. work",
        "2. work: go on",
        "3. work: go on",
        "let go on@u3",
        "let go on@u4",
    }
    assert State.objects.get(run=run).value == {"told": 2, "delivered": [2, 2]}


def test_more_than_a_few_waiting_messages_and_texts_of_no_use_are_refused() -> None:
    run = jobs.start(Worked().job(single_step=True)).run
    drain()
    for number in range(20):
        jobs.update(run.id, "tell", {"text": f"note {number}"})
    drain()
    with pytest.raises(UpdateRefused, match="20 messages wait"):
        tell(run, "one more")
    for refused in ({"text": ""}, {"text": "x" * 10_001}, {"text": "x", "by": "somebody"}, {}):
        with pytest.raises(InvalidArguments):
            jobs.update(run.id, "tell", refused)


def test_an_interrupt_ends_the_work_under_way_and_is_heard_by_the_next() -> None:
    worked = Worked()
    run = jobs.start(worked.job(interventions="interrupt", interrupted_by="Stop: another file.")).run
    drain()
    heard = ["Stop: another file."]
    assert jobs.get(run.id).output == ["Stop: another file.", heard, heard]
    assert worked.begun == ["1. work", "2. work", "3. work"]
    ends = dict(Step.objects.filter(run=run).values_list("name", "status"))
    assert ends["1. work"] == ends["2. work: said"] == "cancelled"
    assert ends["1. work: said"] == ends["2. work"] == "completed"


PLACES = ["1. work", "let go on@u2", "2. work: go on", "2. work", "2. work: interruptible", "3. work: go on"]


@pytest.mark.parametrize("place", PLACES)
def test_the_agents_hear_the_same_when_a_worker_dies_anywhere(place: str) -> None:
    run = jobs.start(Worked().job(single_step=True, interventions="interrupt")).run
    with crash_after(place):
        for iteration in (2, 3):
            drain()
            drain()
            tell(run, f"Before {iteration}.")
            go_on(run, iteration)
        drain()
    assert jobs.get(run.id).output == [[], ["Before 2."], ["Before 2.", "Before 3."]]
