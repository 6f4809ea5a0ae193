"""Jobs that do what jobs should not, and one that has the engine ask the database in many ways."""

import time
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel

from runs.jobs import StepContext, job


class Parade(BaseModel):
    """So many children, one after the other; each appends its number to the file `path`."""

    path: str
    children: int


class Marcher(BaseModel):
    path: str
    number: int


@job("march")
async def march(step: StepContext, marcher: Marcher) -> int:
    """One of a parade."""

    def note() -> int:
        with open(marcher.path, "a") as file:
            file.write(f"child-{marcher.number}\n")
        return marcher.number

    return await step.run("note", note)


@job("parade")
async def parade(step: StepContext, given: Parade) -> int:
    """Start a child, wait for its end, change the state, sleep a little, and so on."""
    total = 0
    for number in range(1, given.children + 1):
        total += await step.child(f"child {number}", "march", {"path": given.path, "number": number})
        step.state.update(total=total)
        await step.sleep(f"pause {number}", timedelta(seconds=0.05))
    return total


class Unfit(BaseModel):
    what: Literal["object", "nul", "surrogate", "nan", "deep", "large", "circle"]


@job("return-unfit")
async def return_unfit(step: StepContext, unfit: Unfit) -> Any:
    """Return from a step what no database can keep."""
    return await step.run("return", _make, unfit.what)


def _make(what: str) -> Any:
    if what == "deep":
        nested: list[Any] = []
        for _ in range(200):
            nested = [nested]
        return nested
    circle: list[Any] = []
    circle.append(circle)
    return {
        "object": object(), "nul": "a\0b", "surrogate": "\ud800", "nan": float("nan"), "large": "x" * 2**21,
        "circle": circle,
    }[what]  # fmt: skip


class Hang(BaseModel):
    """Blocks until the file `path` exists, whoever asks it to stop."""

    path: str
    timeout_seconds: float | None = None


@job("hang-in-a-thread")
async def hang_in_a_thread(step: StepContext, hang: Hang) -> None:
    """A plain step function that looks neither at the clock nor at its flag."""
    timeout = timedelta(seconds=hang.timeout_seconds) if hang.timeout_seconds else None
    await step.options(timeout=timeout).run("hang", _block, hang.path)


@job("hang-in-the-loop")
async def hang_in_the_loop(step: StepContext, hang: Hang) -> None:
    """A step function that is async only in name."""

    async def block() -> None:
        _block(hang.path)

    await step.run("hang", block)


def _block(path: str) -> None:
    while not Path(path).exists():
        time.sleep(0.05)
