"""The run whose page is measured."""

import asyncio
from collections.abc import Callable
from typing import Any

from pydantic import BaseModel

from runs.jobs import Retry, StepContext, job

WORDS = "What a model says comes in small pieces, and a page shows each of them as soon as it is there.\n"
AT_ONCE = 50
FRAME = 10_000
FAILS_EACH = 250
"""Every so manyth step fails once and is tried again."""


class Heavy(BaseModel):
    """`steps` steps, `logs` lines for each, an answer of `answer` characters, then one stream for each of `acts`."""

    steps: int = 5000
    logs: int = 8
    answer: int = 2_000_000
    acts: list[str] = []
    seconds: float = 40
    per_second: float = 50


@job("bench-page")
async def bench_page(step: StepContext, given: Heavy) -> int:
    """Steps and lines first; then a stream whenever somebody sends the signal of an act."""
    tries: dict[int, int] = {}

    async def work(number: int) -> dict[str, Any]:
        tries[number] = tries.get(number, 0) + 1
        if number % FAILS_EACH == 0 and tries[number] == 1:
            raise ConnectionError("the other side hung up")
        await asyncio.sleep(0.001)
        return {"number": number, "words": WORDS}

    tried = step.options(retries=Retry(max_attempts=3, initial=0.05))
    for first in range(0, given.steps, AT_ONCE):
        numbers = range(first, min(first + AT_ONCE, given.steps))
        await asyncio.gather(*(tried.run(f"step-{number:04}", work, number) for number in numbers))
        for number in range(first * given.logs, (first + len(numbers)) * given.logs):
            step.log.info(f"line {number}: {WORDS.strip()}")
    text = (WORDS * (given.answer // len(WORDS) + 1))[: given.answer]
    await step.stream("answer", lambda emit: _speak(emit, text, FRAME, 0))
    each = round(given.answer / (given.seconds * given.per_second))
    for act in given.acts:
        await step.wait_for_signal(f"go {act}")
        await step.stream(f"answer {act}", lambda emit: _told(emit, text, each, given.per_second))
    return given.steps


async def _speak(emit: Callable[[Any], None], text: str, size: int, per_second: float) -> str:
    """Frames of `size` characters, `per_second` of them; all at once where that is 0."""
    loop = asyncio.get_running_loop()
    begun = loop.time()
    for number, place in enumerate(range(0, len(text), size)):
        emit(text[place : place + size])
        if per_second:
            await asyncio.sleep(max(0.0, begun + number / per_second - loop.time()))
    return text


async def _told(emit: Callable[[Any], None], text: str, size: int, per_second: float) -> int:
    """The same; only its length is recorded: the run has one answer of this size, whichever tab is measured last."""
    return len(await _speak(emit, text, size, per_second))
