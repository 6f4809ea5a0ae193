"""Jobs that tell in a file, outside of the database, what was really called and in which process."""

import asyncio
import os
import time
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from runs.jobs import Retry, StepContext, SyncStepContext, current_attempt, job
from tests.jobs_app.held import Held


class Steps(BaseModel):
    """`hold_at`: the first call of that step does not end by itself. `pause_seconds`: how long each call takes."""

    file: str
    steps: int = 50
    hold_at: int = 0
    pause_seconds: float = 0


@job("append-steps")
async def append_steps(step: StepContext, request: Steps) -> list[int]:
    """Each call of a step appends its name and its process."""
    return [await step.run(f"step-{n}", _call_step, request, n) for n in range(1, request.steps + 1)]


@job("append-steps-sync")
def append_steps_sync(step: SyncStepContext, request: Steps) -> list[int]:
    """The same as plain functions, in threads."""
    return [step.run(f"step-{n}", _call_sync_step, request, n) for n in range(1, request.steps + 1)]


def _call_sync_step(request: Steps, number: int) -> int:
    calls = _append(request.file, f"step-{number}")
    time.sleep(600 if number == request.hold_at and calls == 1 else request.pause_seconds)
    return os.getpid()


async def _call_step(request: Steps, number: int) -> int:
    calls = _append(request.file, f"step-{number}")
    await asyncio.sleep(600 if number == request.hold_at and calls == 1 else request.pause_seconds)
    return os.getpid()


def _append(file: str, name: str) -> int:
    """Append a line; how often that name stands there now."""
    with open(file, "a") as opened:
        opened.write(f"{name} {os.getpid()}\n")
    return sum(line.split()[0] == name for line in Path(file).read_text().splitlines())


class Gate(BaseModel):
    file: str
    gate: str


@job("hold-until-open")
async def hold_until_open(step: StepContext, request: Gate) -> int:
    """One async step that ends when the file `gate` exists."""

    async def hold() -> int:
        _append(request.file, "held")
        # The gate is opened from outside of this process.
        while not os.path.exists(request.gate):
            await asyncio.sleep(0.05)
        return os.getpid()

    return await step.run("hold", hold)


class Talk(Held):
    """`first` and `later`: how many frames the first attempt and each later one emits."""

    file: str
    first: int = 400
    later: int = 20
    pause_seconds: float = 0.03


@job("talk")
async def talk(step: StepContext, request: Talk) -> dict[str, Any]:
    """Streams its process and attempt, then calls three steps."""

    async def speak(emit: Any) -> str:
        number = current_attempt().number
        _append(request.file, "talk")
        said = []
        for i in range(request.first if number == 1 else request.later):
            await request.hold(i)
            said.append(f"{os.getpid()}/{number}/{i} ")
            emit(said[-1])
            await asyncio.sleep(request.pause_seconds)
        return "".join(said)

    text = await step.stream("talk", speak)
    steps = Steps(file=request.file)
    return {"text": text, "pids": [await step.run(f"step-{n}", _call_step, steps, n) for n in range(1, 4)]}


@job("talk-twice")
async def talk_twice(step: StepContext, request: Talk) -> str:
    """A streaming step whose first attempt fails after some frames."""

    async def speak(emit: Any) -> str:
        number = current_attempt().number
        said = []
        for i in range(request.first):
            await request.hold(i)
            said.append(f"attempt-{number}-{i} ")
            emit(said[-1])
            await asyncio.sleep(request.pause_seconds)
        if number == 1:
            raise RuntimeError("the first attempt fails")
        return "".join(said)

    policy = Retry(max_attempts=2, initial=0.5, jitter=0)
    return await step.options(retries=policy).stream("talk", speak)
