"""Jobs that wait for signals, and what became of those."""

import asyncio
from typing import Any

from runs.jobs import StepContext, job
from runs.models import Run, Signal
from tests.engine.driver import begin


def waiter(times: int = 1, **options: Any) -> Run:
    @job("waiter")
    async def waits(step: StepContext) -> list[Any]:
        return [await step.wait_for_signal("go", **options) for _ in range(times)]

    return begin(waits)


async def until_true(found: list[int]) -> None:
    while not found:
        await asyncio.sleep(0.001)


def consumed() -> list[tuple[Any, str | None]]:
    return list(Signal.objects.order_by("id").values_list("payload", "consumed_by"))
