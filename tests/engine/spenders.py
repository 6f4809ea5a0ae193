"""Jobs that spend what they are told to."""

from typing import Any

from runs import jobs
from runs.jobs import Budget, StepContext, current_attempt, job
from runs.models import Run, Spending
from runs.testing import drain
from tests.engine.driver import events


def spend(tokens: int = 0, cost: float = 0.0) -> int:
    """As a step function: `tokens` in halves, as those of a model call come."""
    current_attempt().usage(input_tokens=tokens // 2, output_tokens=tokens - tokens // 2, cost=cost)
    return tokens


def spender(budget: Budget | None = None, rounds: int = 5, tokens: int = 40, cost: float = 0.0) -> jobs.Job:
    """A job whose every step spends the same."""

    @job("spender", budget=budget)
    async def spends(step: StepContext) -> int:
        return sum([await step.run(f"call {number}", spend, tokens, cost) for number in range(rounds)])

    return spends


def of_budget(run: Run) -> list[Any]:
    """What the run's log says of its budget and of the questions about it."""
    return [event for event in events(run) if str(event.type).startswith(("budget:", "question:"))]


def spent(run: Run) -> tuple[int, int, int]:
    row = Spending.objects.get(run_id=run.id)
    return row.tokens, row.cost, row.steps


def end_of(run: Run) -> Any:
    """Its output, when all that is due is done."""
    drain()
    return jobs.get(run.id).output
