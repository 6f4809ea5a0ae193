"""A job that makes its process grow, and one that breaks the promise to stop."""

import time
from pathlib import Path

from pydantic import BaseModel

from runs.jobs import StepContext, job

_kept: list[bytearray] = []


class Growth(BaseModel):
    """A first step that keeps `mib` of memory, then `steps` short ones."""

    mib: int
    steps: int
    path: str


@job("grow")
async def grow(step: StepContext, growth: Growth) -> int:
    """Grow once, and go on."""

    def keep() -> int:
        _kept.append(bytearray(b"x" * (growth.mib * 2**20)))
        return growth.mib

    def note(name: str) -> None:
        time.sleep(0.2)
        with Path(growth.path).open("a") as file:
            file.write(f"{name}\n")

    await step.run("grow", keep)
    for number in range(growth.steps):
        await step.run(f"step-{number}", note, f"step-{number}")
    return growth.steps
