"""A run that has spent its budget parks, and goes on when more is granted."""

import asyncio
from typing import Any

import pytest

from hitl.models import Question
from runs import jobs
from runs.errors import BudgetExceeded
from runs.jobs import Budget, Limit, StepContext, current_attempt, job
from runs.models import Allowance, Run, RunStatus, Spending
from runs.testing import drain
from tests.engine.driver import begin, events, types


def spend(tokens: int = 0, cost: float = 0.0) -> int:
    current_attempt().usage(input_tokens=tokens, output_tokens=0, cost=cost)
    return tokens


def spender(budget: Budget, rounds: int = 5, tokens: int = 40) -> jobs.Job:
    @job("spender", budget=budget)
    async def spends(step: StepContext) -> int:
        return sum([await step.run(f"call {number}", spend, tokens) for number in range(rounds)])

    return spends


def test_it_warns_parks_asks_and_goes_on_after_a_grant() -> None:
    run = begin(spender(Budget(tokens=100)))
    drain()
    parked = jobs.get(run.id)
    assert (parked.status, parked.reason) == (RunStatus.WAITING, "budget tokens")
    assert parked.lease_worker is None
    said = [event for event in events(run) if str(event.type).startswith(("budget:", "question:"))]
    assert [str(event.type) for event in said] == ["budget:warn", "budget:exceed", "question:ask"]
    assert [(event.data["spent"], event.data["hard"]) for event in said[:2]] == [(80, 100), (120, 100)]
    assert Question.objects.get().schema["properties"]["tokens"]["default"] == 120
    assert drain() == []
    jobs.grant_budget(run.id, {"tokens": 100})
    drain()
    assert jobs.get(run.id).output == 200
    assert types(run).count("budget:exceed") == 1
    assert types(run).count("budget:grant") == 1
    assert Question.objects.get().status == "withdrawn"
    assert Spending.objects.get().tokens == 200
