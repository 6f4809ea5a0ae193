"""`step.race`: the first branch that ends wins. The winner is recorded, so a replay does not run the race again."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from runs import clock
from runs.engine.history import StepRecord
from runs.engine.payload import Payload, describe_error, encode
from runs.engine.ports import Kernel
from runs.engine.store.transitions import StepRow, Transition
from runs.errors import StepFailed
from runs.events.types import EventDraft, EventType
from runs.models import StepStatus


@dataclass(frozen=True, slots=True)
class Winner:
    """The branch that ended first, and what it returned (as JSON)."""

    name: str
    value: Any


async def run(kernel: Kernel, name: str, branches: Mapping[str, Callable[[], Awaitable[Any]]]) -> Winner:
    """Race the branches as tasks of the job, in the order of the mapping."""
    record = kernel.meet(name, "race")
    if record.is_settled:
        kernel.excuse_branches(len(branches))
    if record.status == StepStatus.COMPLETED:
        return Winner(**record.output)
    if record.status == StepStatus.FAILED:
        raise StepFailed(name, record.error or {})
    tasks = {asyncio.ensure_future(_as_coroutine(branch)): label for label, branch in branches.items()}
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        winner = next(task for task in tasks if task in done)
    finally:
        await _stop([task for task in tasks if not task.done()])
    return await _record(kernel, record, tasks[winner], winner)


async def _as_coroutine(branch: Callable[[], Awaitable[Any]]) -> Any:
    return await branch()


async def _stop(tasks: "list[asyncio.Future[Any]]") -> None:
    """The losers' open steps are recorded as cancelled, and signals that they took go back."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _record(kernel: Kernel, record: StepRecord, label: str, winner: "asyncio.Future[Any]") -> Winner:
    error = winner.exception()
    if error is not None:
        described = describe_error(error)
        payload = encode(described, "The error of a race")
        await kernel.commit(
            _end(kernel, record, StepStatus.FAILED, None, payload, {"winner": label, "error": described})
        )
        raise StepFailed(record.name, described) from error
    payload = encode({"name": label, "value": winner.result()}, f"The result of race {record.name!r}")
    await kernel.commit(_end(kernel, record, StepStatus.COMPLETED, payload, None, {"output": payload.shown}))
    return Winner(**payload.value)


def _end(
    kernel: Kernel, record: StepRecord, status: StepStatus, output: Payload | None, error: Payload | None,
    data: dict[str, Any],
) -> Transition:  # fmt: skip
    now = clock.now()
    row = StepRow(
        kernel.run_id, record.name, "race", record.branch, record.position, status.value, 1, int(error is not None),
        output.text if output else None, output.secrets_text if output else "[]", error.text if error else None,
        now, now, None,
    )  # fmt: skip
    type_ = EventType.STEP_COMPLETE if status is StepStatus.COMPLETED else EventType.STEP_FAIL
    return Transition(now, events=(EventDraft(type_, data, record.name, 1),), steps=(row,))
