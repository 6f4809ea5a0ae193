"""`step.race`: the first branch that ends wins. The winner is recorded, so a replay does not run the race again."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from runs import clock
from runs.engine.ends import failed_steps
from runs.engine.history import StepRecord
from runs.engine.mailbox import letters_of
from runs.engine.payload import Payload, describe_error, encode
from runs.engine.ports import Kernel
from runs.engine.store.transitions import LetterRow, StepRow, Transition
from runs.errors import InvalidOption, StepFailed
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
    if not branches:
        raise InvalidOption("branches", "is empty", "Give at least one branch.")
    places = kernel.next_branches(len(branches))
    tasks = {asyncio.ensure_future(_as_coroutine(branch)): label for label, branch in branches.items()}
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        winner = next(task for task in tasks if task in done)
    finally:
        await _stop([task for task in tasks if not task.done()])
    lost = [place for place, task in zip(places, tasks, strict=True) if task is not winner]
    undone = await _undo(kernel, lost)
    return await _record(kernel, record, tasks[winner], winner, undone)


async def _as_coroutine(branch: Callable[[], Awaitable[Any]]) -> Any:
    return await branch()


async def _stop(tasks: "list[asyncio.Future[Any]]") -> None:
    """The losers' open steps are recorded as cancelled, and signals that they took go back."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _undo(kernel: Kernel, lost: list[str]) -> Transition:
    """A signal that a loser's last wait took in the same moment is the next one's again."""
    waits = [record for path in lost if (record := kernel.last_signal_wait(path)) is not None]
    taken = await kernel.in_thread(letters_of, kernel.run_id, [wait.name for wait in waits]) if waits else {}
    now, undone = clock.now(), Transition(clock.now())
    for wait in waits:
        letter = taken.get(wait.name)
        if letter is not None:
            kernel.mailbox.put_back(letter)
            row = _settled(kernel, wait, StepStatus.CANCELLED, None, None)
            undone = undone._replace(
                events=(*undone.events, EventDraft(EventType.STEP_CANCEL, {}, wait.name, 1)),
                steps=(*undone.steps, row),
                letters=(*undone.letters, LetterRow(kernel.run_id, letter.id, None, None)),
            )
    return undone._replace(at=now)


async def _record(
    kernel: Kernel, record: StepRecord, label: str, winner: "asyncio.Future[Any]", undone: Transition
) -> Winner:
    error = winner.exception()
    if error is None:
        payload = encode({"name": label, "value": winner.result()}, f"The result of race {record.name!r}")
        row = _settled(kernel, record, StepStatus.COMPLETED, payload, None)
        await kernel.commit(_with_end(undone, EventType.STEP_COMPLETE, {"output": payload.shown}, row))
        record.status = StepStatus.COMPLETED  # one that a retry had opened again is open no longer
        return Winner(**payload.value)
    if not isinstance(error, Exception):
        raise error
    described = describe_error(error) | {"steps": failed_steps(error)}
    row = _settled(kernel, record, StepStatus.FAILED, None, encode(described, "The error of a race"))
    await kernel.commit(_with_end(undone, EventType.STEP_FAIL, {"winner": label, "error": described}, row))
    record.status = StepStatus.FAILED
    raise StepFailed(record.name, described) from error


def _with_end(undone: Transition, type_: EventType, data: dict[str, Any], row: StepRow) -> Transition:
    end = EventDraft(type_, data, row.name, 1)
    return undone._replace(events=(*undone.events, end), steps=(*undone.steps, row))


def _settled(
    kernel: Kernel, record: StepRecord, status: StepStatus, output: Payload | None, error: Payload | None
) -> StepRow:
    now = clock.now()
    return StepRow(
        kernel.run_id, record.name, record.kind, record.branch, record.position, status.value, 1,
        int(error is not None), output.text if output else None, output.secrets_text if output else "[]",
        error.text if error else None, record.started_at or now, now, None,
    )  # fmt: skip
