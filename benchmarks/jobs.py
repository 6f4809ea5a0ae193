"""What the benchmarks run."""

import asyncio
import os
import time
from typing import Any

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


@job("bench-moment")
async def bench_moment(step: StepContext) -> float:
    """When its code began, in seconds since the epoch."""
    return await step.run("began", seen, time.time())


async def seen(moment: float) -> float:
    return moment


@job("bench-signals")
async def bench_signals(step: StepContext, given: Steps) -> None:
    """Its steps first, then one more for each signal: when its code went on."""
    for number in range(given.steps):
        await step.run(f"step-{number}", trivial, number)
    number = 0
    while await go_on(step, number):
        number += 1


async def go_on(step: StepContext, number: int) -> bool:
    payload = await step.wait_for_signal("go")
    await step.run(f"seen-{number}", seen, time.time())
    return bool(payload != "end")


class Beats(BaseModel):
    seconds: float = 5
    each: float = 0.05


@job("bench-beats")
async def bench_beats(step: StepContext, given: Beats) -> None:
    """Short steps that say which process did them and when."""
    for number in range(int(given.seconds / given.each)):
        await step.run(f"beat-{number}", beat, given.each)


async def beat(seconds: float) -> dict[str, Any]:
    await asyncio.sleep(seconds)
    return {"pid": os.getpid(), "at": time.time()}
