"""State saved in the middle of an attempt is durable, and the next attempt goes on from the last one."""

import asyncio
import json
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from runs import jobs
from runs.engine.ports import NoFrames
from runs.errors import EmitTooLarge, StepCancelled, StorageError
from runs.jobs import Checkpoint, Emit, Retry, StepContext, current_attempt, job
from runs.models import Checkpoint as CheckpointRow
from runs.models import RunStatus, Step
from runs.testing import drain
from tests.engine.driver import Driver, begin, events, until


def test_an_attempt_goes_on_from_the_last_state_after_a_crash_and_after_a_failure(driver: Driver) -> None:
    began_with: list[Any] = []

    @job("counts", retries=Retry(max_attempts=2, initial=0))
    async def counts(step: StepContext) -> Any:
        async def count(emit: Emit, checkpoint: Checkpoint) -> list[int]:
            attempt, seen = current_attempt().number, checkpoint.last or []
            began_with.append(list(seen))
            for number in range(len(seen), 9):
                seen = [*seen, number]
                await checkpoint(seen)
                assert checkpoint.last == seen
                if attempt == 1 and number == 4:
                    await asyncio.Event().wait()
                assert attempt != 2 or number < 6
            return seen

        return await step.stream("count", count)

    run = begin(counts)
    driver.claim()
    until(lambda: CheckpointRow.objects.filter(number=5).exists())
    driver.kill()
    drain()
    assert jobs.get(run.id).output == list(range(9))
    assert began_with == [[], [0, 1, 2, 3, 4], [0, 1, 2, 3, 4, 5, 6]]
    saved = [event for event in events(run) if event.type == "checkpoint:save"]
    assert [event.data["number"] for event in saved] == list(range(1, 10))
    assert [event.attempt for event in saved] == [1] * 5 + [2] * 2 + [3] * 2
    assert saved[1].data["size"] == len("[0,1]")


def test_the_last_three_are_kept_until_the_step_is_done(driver: Driver) -> None:
    finish = asyncio.Event()

    @job("keeps")
    async def keeps(step: StepContext) -> None:
        async def save(emit: Emit, checkpoint: Checkpoint) -> None:
            for number in range(1, 8):
                await checkpoint({"number": number})
            await finish.wait()

        await step.stream("save", save)

    run = begin(keeps)
    driver.claim()
    until(lambda: CheckpointRow.objects.filter(number=7).exists())
    kept = CheckpointRow.objects.order_by("number").values_list("number", "state", "size", "attempt")
    assert list(kept) == [(number, {"number": number}, 12, 1) for number in (5, 6, 7)]
    driver.call(finish.set)
    until(lambda: jobs.get(run.id).has_ended)
    assert not CheckpointRow.objects.exists()


def test_a_checkpoint_is_durable_when_it_returns(driver: Driver) -> None:
    found: list[int] = []

    @job("durable")
    async def durable(step: StepContext) -> None:
        async def save(emit: Emit, checkpoint: Checkpoint) -> None:
            await checkpoint("state")
            found.append(await asyncio.to_thread(count_and_close))

        await step.stream("save", save)

    begin(durable)
    drain()
    assert found == [1]


def count_and_close() -> int:
    from django.db import connections

    try:
        return CheckpointRow.objects.count()
    finally:
        connections.close_all()


def test_what_cannot_be_saved_or_emitted_is_an_error_in_the_step() -> None:
    @job("bad-states")
    async def bad_states(step: StepContext) -> list[str]:
        async def save(emit: Emit, checkpoint: Checkpoint) -> list[str]:
            met: list[str] = []
            for value in ("\x00", float("nan"), object()):
                with pytest.raises(StorageError):
                    emit(value)
                with pytest.raises(StorageError) as bad:
                    await checkpoint(value)
                met.append(str(bad.value)[:29])
            with pytest.raises(EmitTooLarge, match="262144"):
                emit("x" * 262_144)
            assert checkpoint.last is None
            return met

        return await step.stream("save", save)

    run = begin(bad_states)
    drain()
    assert jobs.get(run.id).output == ["A checkpoint of step 'save' c"] * 3, jobs.get(run.id).error


class Kept(NoFrames):
    """Keeps what is emitted."""

    def __init__(self) -> None:
        super().__init__()
        self.frames: list[tuple[str, int, Any]] = []

    def emitter(self, run_id: UUID, step: str, epoch: int, attempt: int) -> Callable[[bytes], None]:
        count = super().emitter(run_id, step, epoch, attempt)

        def keep(data: bytes) -> None:
            count(data)
            self.frames.append((step, attempt, json.loads(data)))

        return keep


def test_the_end_of_a_streaming_attempt_says_how_many_frames_it_sent() -> None:
    sink = Kept()

    @job("streams", retries=Retry(max_attempts=2, initial=0))
    async def streams(step: StepContext) -> None:
        def words(emit: Emit) -> None:
            for number in range(3):
                emit({"number": number})
                assert number == 0 or current_attempt().number == 2

        await step.stream("words", words)

    run = begin(streams)
    drain(frames=sink)
    assert [event.data.get("frames") for event in events(run) if event.step] == [None, 2, None, 3]
    assert sink.frames == [("words", 1, {"number": 0}), ("words", 1, {"number": 1})] + [
        ("words", 2, {"number": number}) for number in range(3)
    ]


def test_a_task_that_outlives_its_step_emits_and_saves_nothing_more() -> None:
    sink = Kept()
    met: list[str] = []

    @job("leaves-a-task")
    async def leaves_a_task(step: StepContext) -> None:
        ended = asyncio.Event()

        async def later(emit: Emit, checkpoint: Checkpoint) -> None:
            await ended.wait()
            for call in (lambda: emit("late"), lambda: checkpoint("late")):
                try:
                    found = call()
                    if found is not None:
                        await found
                except StepCancelled as exc:
                    met.append(exc.code)

        async def stream(emit: Emit, checkpoint: Checkpoint) -> asyncio.Task[None] | None:
            tasks.append(asyncio.create_task(later(emit, checkpoint)))
            return None

        tasks: list[asyncio.Task[None]] = []
        await step.stream("stream", stream)
        ended.set()
        await asyncio.wait(tasks)

    run = begin(leaves_a_task)
    drain(frames=sink)
    assert jobs.get(run.id).status == RunStatus.COMPLETED, jobs.get(run.id).error
    assert met == ["step_cancelled"] * 2
    assert sink.frames == []
    assert not CheckpointRow.objects.exists()
    assert Step.objects.get().status == "completed"
