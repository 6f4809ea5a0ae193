"""A slow stream, for trying a reload of its page or a kill of its worker."""

import asyncio

from pydantic import BaseModel, ConfigDict, Field

from examples.pieces import pieces
from runs.jobs import Checkpoint, Emit, StepContext, job


class CountdownRequest(BaseModel):
    """Where to begin and how fast to count."""

    model_config = ConfigDict(extra="forbid")

    start: int = Field(default=30, ge=1, le=10_000, title="Start", description="The number to count down from.")
    pause_seconds: float = Field(
        default=1.0, ge=0, le=60, allow_inf_nan=False, title="Pause", description="Seconds between two numbers."
    )


class Countdown(BaseModel):
    """What was counted."""

    text: str = Field(description="All that was streamed.")
    numbers: int = Field(description="How many numbers were counted.")


@job("countdown")
async def countdown(step: StepContext, request: CountdownRequest) -> Countdown:
    """Count down slowly, streaming each number; goes on from its checkpoint after a crash."""

    async def count(emit: Emit, checkpoint: Checkpoint) -> str:
        following: int = checkpoint.last["next"] if checkpoint.last else request.start
        for piece in pieces(_counted(request.start, following), 64 * 1024):
            emit(piece)
        for number in range(following, 0, -1):
            emit(f"{number} ")
            step.progress(request.start - number + 1, request.start)
            await checkpoint({"next": number - 1})
            await asyncio.sleep(request.pause_seconds)
        emit("done\n")
        return _counted(request.start, 0) + "done\n"

    text = await step.stream("count", count)
    return Countdown(text=text, numbers=request.start)


def _counted(start: int, following: int) -> str:
    """What is streamed before the number `following`."""
    return "".join(f"{number} " for number in range(start, following, -1))
