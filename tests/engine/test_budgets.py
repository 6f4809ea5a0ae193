"""A run that has spent its budget parks, people are asked once, and it goes on when more is granted."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from hitl.models import Question
from runs import clock, jobs
from runs.engine.store import limits
from runs.engine.store.balances import Total
from runs.errors import InvalidOption, RunAlreadyEnded, RunWithoutBudget
from runs.jobs import Budget, Limit, Retry, StepContext, SyncStepContext, current_attempt, job
from runs.maintenance.invariants import INVARIANTS
from runs.models import Audit, RunStatus, Spending, Step
from runs.testing import advance, crash_after, drain
from tests.engine.driver import Driver, begin, events, types, until
from tests.engine.spenders import end_of, of_budget, spend, spender, spent


@pytest.fixture(autouse=True)
def _sums_are_right() -> Any:
    yield
    assert list(INVARIANTS["spent_otherwise"].query(None)) == []
    assert list(INVARIANTS["idle_without_wake"].query(None)) == []


def test_it_warns_parks_asks_and_goes_on_after_a_grant() -> None:
    run = begin(spender(Budget(tokens=100)))
    drain()
    parked = jobs.get(run.id)
    assert (parked.status, parked.reason, parked.lease_worker) == (RunStatus.WAITING, "budget tokens", None)
    said = of_budget(run)
    assert [str(event.type) for event in said] == ["budget:warn", "budget:exceed", "question:ask"]
    assert [(event.data["spent"], event.data["hard"]) for event in said[:2]] == [(80, 100), (120, 100)]
    assert drain() == []
    jobs.grant_budget(run.id, {"tokens": 100})
    assert end_of(run) == 200
    assert [str(event.type) for event in of_budget(run)[3:]] == ["budget:grant", "question:withdraw"]
    assert Question.objects.get().status == "withdrawn"
    assert Audit.objects.filter(action="budget.grant", target=str(run.id)).count() == 1
    assert spent(run) == (200, 0, 5)


def test_each_time_the_limit_is_reached_it_is_asked_anew() -> None:
    run = begin(spender(Budget(tokens=40)))
    for _ in range(4):
        drain()
        assert jobs.get(run.id).reason == "budget tokens"
        jobs.grant_budget(run.id, {"tokens": 40})
    assert end_of(run) == 200
    assert Question.objects.count() == types(run).count("budget:exceed") == 4


@pytest.mark.parametrize(
    ("budget", "done"),
    [(Budget(cost=0.07), 7), (Budget(steps=3), 3), (Budget(tokens=Limit(10, 90)), 3), (Budget(tokens=0), 0)],
)
def test_each_limit_lets_pass_what_fits_and_no_more(budget: Budget, done: int) -> None:
    run = begin(spender(budget, rounds=9, cost=0.01))
    drain()
    assert jobs.get(run.id).status == RunStatus.WAITING
    assert Step.objects.filter(run=run).count() == done


def test_time_that_is_waited_does_not_count_and_time_that_is_worked_does() -> None:
    @job("works", budget=Budget(active_seconds=60))
    async def works(step: StepContext) -> str:
        await step.wait_for_signal("go")
        await step.run("long", lambda: clock.move(timedelta(seconds=30)))
        await step.run("longer", lambda: clock.move(timedelta(seconds=40)))
        return await step.run("last", lambda: "done")

    run = begin(works)
    drain()
    advance(timedelta(days=3))
    jobs.signal(run.id, "go")
    drain()
    assert jobs.get(run.id).reason == "budget active_seconds"
    advance(timedelta(days=3))
    jobs.grant_budget(run.id, {"active_seconds": 60})
    assert end_of(run) == "done"


def test_failed_attempts_are_paid_for_and_a_retried_step_counts_once() -> None:
    @job("fails", budget=Budget(tokens=100, steps=2), retries=Retry(max_attempts=9, initial=0))
    async def fails(step: StepContext) -> int:
        def call() -> int:
            spend(30)
            if current_attempt().number < 5:
                raise ValueError("paid for, too")
            return current_attempt().number

        return await step.run("call", call)

    run = begin(fails)
    drain()
    assert (jobs.get(run.id).reason, spent(run)) == ("budget tokens", (120, 0, 1))
    jobs.grant_budget(run.id, {"tokens": 100})
    assert end_of(run) == 5
    assert spent(run) == (150, 0, 1)


def test_branches_that_meet_the_limit_together_ask_once() -> None:
    @job("branches", budget=Budget(tokens=50))
    async def branches(step: StepContext) -> int:
        async def one(number: int) -> int:
            first = await step.run(f"first {number}", spend, 20)
            return first + await step.run(f"second {number}", spend, 20)

        mapped = await step.map("item", lambda number: spend(10), range(3))
        return sum(await asyncio.gather(*map(one, range(4)))) + sum(mapped)

    run = begin(branches)
    drain()
    assert jobs.get(run.id).status == RunStatus.WAITING
    assert types(run).count("budget:exceed") == Question.objects.count() == 1
    jobs.grant_budget(run.id, {"tokens": 1000})
    assert end_of(run) == 190


def test_the_run_stays_loaded_while_another_branch_works() -> None:
    @job("mixed", budget=Budget(tokens=10))
    async def mixed(step: StepContext) -> int:
        async def long() -> int:
            current_attempt().usage(input_tokens=10)
            await asyncio.sleep(0.1)
            return 1

        first = asyncio.ensure_future(step.run("long", long))
        await step.run("spends", spend, 10)
        return await first + await step.run("parked", lambda: 1)

    run = begin(mixed)
    drain()
    assert dict(Step.objects.values_list("name", "status")) == {"long": "completed", "spends": "completed"}
    jobs.grant_budget(run.id, {"tokens": 100})
    assert end_of(run) == 2


def test_a_ring_at_the_door_wakes_it_to_look_and_it_leaves_memory_all_the_same(driver: Driver) -> None:
    run = begin(spender(Budget(tokens=40)))
    driver.claim()
    until(lambda: "question:ask" in types(run))
    driver.call(driver.executions[0].hear)
    until(lambda: jobs.get(run.id).status == RunStatus.WAITING)
    assert types(run).count("budget:exceed") == 1


def test_a_parked_run_that_looks_again_rings_at_nobodys_door(monkeypatch: pytest.MonkeyPatch) -> None:
    """It would hear that itself, and look again for ever."""
    run = begin(spender(Budget(tokens=40)))
    drain()
    rung: list[Any] = []
    monkeypatch.setattr(limits, "ring", rung.append)
    token = jobs.get(run.id).lease_token
    assert limits.meet(run.id, token, run.id, "tokens", Total(tokens=40)) is limits.Met.PARK
    assert rung == []


def test_a_worker_that_has_lost_the_run_asks_nobody() -> None:
    run = begin(spender(Budget(tokens=40)))
    token = jobs.get(run.id).lease_token - 1
    assert limits.meet(run.id, token, run.id, "tokens", Total(tokens=40)) is limits.Met.PARK
    assert not Question.objects.exists()


def test_a_crash_between_attempts_counts_each_of_them_once() -> None:
    run = begin(spender(Budget(tokens=100)))
    for number in range(3):
        with crash_after(f"call {number}"):
            drain()
    drain()
    assert (jobs.get(run.id).reason, spent(run)) == ("budget tokens", (120, 0, 3))
    with crash_after("call 3"):
        jobs.grant_budget(run.id, {"tokens": 1000})
        drain()
    assert end_of(run) == 200
    assert spent(run) == (200, 0, 5)


def test_a_result_that_was_not_recorded_is_not_counted_and_its_next_attempt_is() -> None:
    run = begin(spender(Budget(tokens=1000)))
    with crash_after("call 1", before_record=True):
        drain()
    assert end_of(run) == 200
    assert spent(run) == (200, 0, 5)


def test_a_transaction_spends_once() -> None:
    @job("writes", budget=Budget(tokens=1000, steps=10))
    async def writes(step: StepContext) -> int:
        return await step.transaction("write", spend, 40) + await step.run("call", spend, 40)

    run = begin(writes)
    assert end_of(run) == 80
    assert spent(run) == (80, 0, 2)


def test_a_plain_job_parks_without_a_thread() -> None:
    @job("plain", budget=Budget(tokens=50))
    def plain(step: SyncStepContext) -> int:
        return sum(step.run(f"call {number}", spend, 40) for number in range(3))

    run = begin(plain)
    drain()
    assert jobs.get(run.id).reason == "budget tokens"
    jobs.grant_budget(run.id, {"tokens": 100})
    assert end_of(run) == 120


def test_recorded_steps_and_waits_never_ask() -> None:
    @job("waits", budget=Budget(tokens=40))
    async def waits(step: StepContext) -> Any:
        spent = await step.run("call", spend, 40)
        await step.skip("skipped")
        return [spent, await step.wait_for_signal("go")]

    run = begin(waits)
    drain()
    jobs.signal(run.id, "go", "on")
    assert end_of(run) == [40, "on"]
    assert not Question.objects.exists()


def test_cancel_ends_a_parked_run_and_its_question_is_closed() -> None:
    run = begin(spender(Budget(tokens=40)))
    drain()
    jobs.cancel(run.id)
    assert drain() == []
    assert jobs.get(run.id).status == RunStatus.CANCELLED
    assert Question.objects.get().shown_status == "withdrawn"
    with pytest.raises(RunAlreadyEnded):
        jobs.grant_budget(run.id, {"tokens": 1})


@pytest.mark.parametrize(
    "budget",
    [{"tokens": -1}, {"tokens": True}, {"tokens": "9"}, {"tokens": float("nan")}, {"tokens": float("inf")},
     {"coins": 1}, {"tokens": {"soft": 9, "hard": 8}}, {"tokens": {"hart": 9}}, {"tokens": 10**16}],
)  # fmt: skip
def test_a_budget_that_makes_no_sense_starts_nothing(budget: Any) -> None:
    with pytest.raises(InvalidOption):
        begin(spender(), budget=budget)
    assert not Spending.objects.exists()


def test_a_start_tightens_the_budget_of_its_job_and_cannot_widen_it() -> None:
    spends = spender(Budget(tokens=100, steps=4))
    with pytest.raises(InvalidOption):
        begin(spends, budget={"tokens": 101})
    state = jobs.budget_state(begin(spends, budget={"tokens": 50, "cost": 1}))
    assert state is not None
    assert {name: limit.hard for name, limit in state.limits.items()} == {"tokens": 50, "cost": 1, "steps": 4}


def test_what_is_granted_must_be_limited_and_more_than_nothing() -> None:
    run = begin(spender(Budget(tokens=100)))
    for amounts in ({"cost": 1}, {"tokens": 0}, {}, {"tokens": -5}, {"coins": 3}, {"tokens": 10**15}):
        with pytest.raises(InvalidOption):
            jobs.grant_budget(run.id, amounts)
    with pytest.raises(RunWithoutBudget):
        jobs.grant_budget(begin(spender()).id, {"tokens": 1})


def test_a_run_started_again_or_forked_has_what_it_began_with() -> None:
    run = begin(spender(), budget={"tokens": 100})
    drain()
    jobs.grant_budget(run.id, {"tokens": 900})
    drain()
    again, forked = jobs.retrigger(run.id).run, jobs.fork(run.id, "call 2")
    drain()
    for made in (again, forked):
        state = jobs.budget_state(jobs.get(made.id))
        assert state is not None
        assert (state.limits["tokens"].hard, state.granted) == (100, {})
    assert jobs.get(again.id).status == RunStatus.WAITING
    assert spent(jobs.get(forked.id)) == (120, 0, 3)
    assert jobs.get(forked.id).output == 200


def test_a_run_without_a_budget_has_no_rows_of_one() -> None:
    run = begin(spender())
    assert end_of(run) == 200
    assert not Spending.objects.exists()
    assert events(run)[-1].type == "run:complete"
