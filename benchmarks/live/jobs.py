"""What is watched."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

from pydantic import BaseModel

from runs.jobs import StepContext, job

WORDS = "what a model says comes in small pieces"


class Stream(BaseModel):
    """`count` frames of `size` more characters, `per_second` of them."""

    count: int = 200
    per_second: float = 20.0
    size: int = 0


@job("bench-stream")
async def bench_stream(step: StepContext, given: Stream) -> int:
    """One streaming step; each frame says when it was emitted."""

    async def speak(emit: Callable[[Any], None]) -> int:
        text = WORDS + "." * given.size
        for _ in range(given.count):
            emit({"at": time.time(), "text": text})
            await asyncio.sleep(1 / given.per_second)
        return given.count

    return int(await step.stream("speak", speak))


@job("bench-checkpoints")
async def bench_checkpoints(step: StepContext, given: Stream) -> int:
    """One streaming step that saves a checkpoint with each frame."""

    async def speak(emit: Callable[[Any], None], checkpoint: Callable[[Any], Awaitable[None]]) -> int:
        begun = time.monotonic()
        for number in range(1, given.count + 1):
            emit({"at": time.time(), "text": WORDS})
            await checkpoint({"number": number})
            await asyncio.sleep(max(0.0, begun + number / given.per_second - time.monotonic()))
        return given.count

    return int(await step.stream("speak", speak))


@job("bench-wait")
async def bench_wait(step: StepContext, given: Stream) -> None:
    """Holds no worker, until somebody says go."""
    await step.wait_for_signal("go")
