"""What the benchmarks run."""

from pydantic import BaseModel

from runs.jobs import StepContext, job


class Steps(BaseModel):
    steps: int = 100


async def trivial(number: int) -> int:
    return number


@job("bench-steps")
async def bench_steps(step: StepContext, given: Steps) -> int:
    """Steps that do nothing: what is left is what durability costs."""
    total = 0
    for number in range(given.steps):
        total += await step.run(f"step-{number}", trivial, number)
    return total
