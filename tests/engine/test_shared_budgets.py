"""What children spend counts on every budget above them: one allowance for the tree, and one question."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from hitl.models import Question
from runs import jobs
from runs.engine.store import budgets
from runs.engine.store.balances import totals_of
from runs.errors import ChildFailed
from runs.jobs import Budget, StepContext, job
from runs.maintenance.invariants import INVARIANTS
from runs.maintenance.retention import prune
from runs.models import Run, RunStatus, Spending
from runs.testing import drain
from tests.engine.driver import begin, types
from tests.engine.spenders import end_of, spend, spender


@pytest.fixture(autouse=True)
def _sums_are_right() -> Any:
    yield
    assert list(INVARIANTS["spent_otherwise"].query(None)) == []
    assert list(INVARIANTS["idle_without_wake"].query(None)) == []


def family(budget: Budget | None, own: Budget | None = None, children: int = 2, *, waits: bool = True) -> jobs.Job:
    """A job that spends 40 and has children that spend 200 each."""
    spender(own)

    @job("spending-family", budget=budget)
    async def parent(step: StepContext) -> int:
        spent = await step.run("own", spend, 40)
        if not waits:
            for number in range(children):
                await step.start_child(f"child {number}", "spender", detached=True)
            return spent
        each = [step.child(f"child {number}", "spender") for number in range(children)]
        return spent + sum(await asyncio.gather(*each))

    return parent


def child_runs(run: Run) -> list[Run]:
    return list(Run.objects.filter(parent=run).order_by("id"))


def total(run: Run) -> int:
    return totals_of([run.id])[run.id].tokens


def test_two_children_spend_from_one_allowance_and_one_question_is_asked() -> None:
    run = begin(family(Budget(tokens=200)))
    drain()
    assert [child.reason for child in child_runs(run)] == ["budget tokens"] * 2
    assert total(run) == 200 + 40 * (total(run) > 200)
    question = Question.objects.get()
    assert question.run_id == run.id
    assert [types(one.id).count("budget:exceed") for one in [run, *child_runs(run)]] == [1, 1, 1]
    jobs.grant_budget(run.id, {"tokens": 1000})
    assert end_of(run) == 440
    assert total(run) == 440


def test_a_child_that_waits_for_more_is_granted_it_by_its_own_id() -> None:
    run = begin(family(Budget(tokens=200), Budget(tokens=120), 1))
    drain()
    (child,) = child_runs(run)
    assert Question.objects.get().run_id == child.id  # its own limit comes first
    jobs.grant_budget(child.id, {"tokens": 1000})
    drain()
    assert Question.objects.get(status="open").run_id == run.id
    jobs.grant_budget(child.id, {"tokens": 1000})
    assert end_of(run) == 240


def test_a_denied_child_fails_and_its_parent_hears_of_it() -> None:
    @job("watches", budget=Budget(tokens=100))
    async def watches(step: StepContext) -> str:
        spender()
        try:
            await step.child("child", "spender")
        except ChildFailed as exc:
            return exc.message
        return "never"

    spender()
    run = begin(watches)
    drain()
    jobs.settle_budget(run.id, "tokens", None, actor=jobs.SYSTEM)
    assert "more was denied" in end_of(run)
    (child,) = child_runs(run)
    assert (child.status, child.error["type"]) == (RunStatus.FAILED, "BudgetExceeded")


def test_children_that_outlive_the_run_whose_budget_it_is_ask_in_their_own_names() -> None:
    run = begin(family(Budget(tokens=150), waits=False))
    drain()
    assert jobs.get(run.id).status == RunStatus.COMPLETED
    children = child_runs(run)
    assert [child.reason for child in children] == ["budget tokens"] * 2
    asked = Question.objects.filter(status="open").values_list("run_id", flat=True)
    assert {one for one in asked if not jobs.get(one).has_ended} == {child.id for child in children}
    jobs.grant_budget(children[0].id, {"tokens": 1000})
    drain()
    assert [jobs.get(child.id).output for child in children] == [200, 200]
    assert total(run) == 440
    assert not [one for one in Question.objects.filter(status="open") if not one.run.has_ended]


def test_those_that_wait_for_people_hide_nobody_who_is_forgotten() -> None:
    for _ in range(2):
        begin(spender(Budget(tokens=40)))
    run = begin(family(Budget(tokens=150), waits=False))
    drain()
    children = [child.id for child in child_runs(run)]
    Spending.objects.filter(run_id__in=children).update(asked=run.id)
    assert budgets.wake_forgotten(limit=2) == 2
    assert not Spending.objects.filter(run_id__in=children, asked__isnull=False).exists()
    drain()


def test_what_deleted_children_spent_goes_on_counting() -> None:
    @job("keeps", budget=Budget(tokens=10_000))
    async def keeps(step: StepContext) -> None:
        spender(Budget(tokens=500))
        await step.start_child("child", "spender", detached=True)
        await step.wait_for_signal("go")

    spender(Budget(tokens=500))
    run = begin(keeps)
    drain()
    (child,) = child_runs(run)
    Run.objects.filter(id=child.id).update(parent=None, root=None)  # as if those between them were gone
    jobs.delete(child.id)
    assert total(run) == 200
    assert Spending.objects.get(run_id=child.id).allowance_id == run.id
    jobs.cancel(run.id)
    prune(older_than=timedelta(0))
    assert not Spending.objects.exists()


def test_a_child_spends_from_no_budget_that_is_gone() -> None:
    run = begin(family(None))
    drain()
    Run.objects.filter(id=run.id).update(budget_of=UUID(int=5))
    assert jobs.budget_state(jobs.get(run.id)) is None
    again = begin(family(None))
    Run.objects.filter(id=again.id).update(budget_of=UUID(int=5))
    assert end_of(again) == 440


def test_a_child_is_given_less_than_its_parent_and_not_more_than_its_job_allows() -> None:
    @job("gives", budget=Budget(tokens=10_000))
    async def gives(step: StepContext, tokens: int) -> int:
        spent: int = await step.child("child", "spender", budget={"tokens": tokens})
        return spent

    spender(Budget(tokens=500))
    run, refused = begin(gives, 100), begin(gives, 501)
    drain()
    assert jobs.get(refused.id).error["type"] == "InvalidOption"
    assert not child_runs(refused)
    (child,) = child_runs(run)
    assert (child.reason, Question.objects.get().run_id) == ("budget tokens", child.id)
    assert total(run) == total(child) == 120
