"""What goes to disk is checked at the call; what comes back has the type that was declared."""

import asyncio
import enum
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from pydantic import BaseModel

from runs import jobs
from runs.errors import InvalidInput, PayloadTooLarge, StepFailed, StorageError
from runs.jobs import StepContext, job
from runs.models import Checkpoint, Event, Run, RunStatus, Step
from runs.testing import drain
from tests.engine.driver import Driver, begin, events, until


def nested(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


def circular() -> list[Any]:
    value: list[Any] = []
    value.append(value)
    return value


BAD = {
    "NUL": "a\x00b",
    "NUL in a key": {"a\x00b": 1},
    "lone surrogate": "\ud800",
    "surrogate in a key": {"\udfff": 1},
    "NaN": float("nan"),
    "infinity": [float("-inf")],
    "depth": nested(200),
    "great depth": nested(100_000),
    "a circle": circular(),
    "object": object(),
    "bytes that are no text": b"\xff\xfe",
    "a function": print,
    "a huge number": 10**5000,
    "size": "x" * (1024 * 1024),
}


def test_what_cannot_be_stored_fails_its_step_once_and_the_job_may_go_on() -> None:
    @job("returns", retries=3)
    async def returns(step: StepContext) -> dict[str, str]:
        met: dict[str, str] = {}
        for name, value in BAD.items():
            with pytest.raises(StepFailed) as failed:
                await step.run(name, lambda value=value: value)
            met[name] = str(failed.value)[:500]
        return met

    run = begin(returns)
    drain()
    ended = jobs.get(run.id)
    assert ended.status == RunStatus.COMPLETED, ended.error
    assert all(f"{name!r}" in message for name, message in ended.output.items())
    assert set(Step.objects.values_list("attempts", flat=True)) == {1}
    assert events(run)[-1].type == "run:complete"


def test_input_that_cannot_be_stored_starts_nothing() -> None:
    @job("takes-anything")
    async def takes(step: StepContext, value: Any) -> None: ...

    for value in BAD.values():
        with pytest.raises(StorageError) as met:
            jobs.start(takes, value)
        assert "takes-anything" in str(met.value)
        str(met.value).encode()
    assert not Run.objects.exists()


def test_output_that_cannot_be_stored_fails_the_run() -> None:
    @job("gives-anything")
    async def gives(step: StepContext, name: str) -> Any:
        return BAD[name]

    runs = [begin(gives, name) for name in BAD]
    drain()
    for run in runs:
        ended = jobs.get(run.id)
        assert ended.status == RunStatus.FAILED
        assert "gives-anything" in ended.error["message"]


ODD = ["\\u0000", "a\\", "\\\\u0000", "\u2028", "😀", "\U0010ffff", "\x01", '"', "\\ud800"]


def test_text_that_only_looks_bad_is_stored_as_it_is() -> None:
    @job("odd-text")
    async def odd_text(step: StepContext, texts: list[str]) -> dict[str, str]:
        return await step.run("same", lambda: {text: text for text in texts})

    run = begin(odd_text, ODD)
    drain()
    assert jobs.get(run.id).input == ODD
    assert jobs.get(run.id).output == {text: text for text in ODD}
    assert Step.objects.get().output == {text: text for text in ODD}


def test_a_bad_error_message_does_not_wedge_the_run() -> None:
    class Awkward(Exception):
        def __str__(self) -> str:
            raise RuntimeError("no message")

    @job("awkward")
    async def awkward(step: StepContext) -> None:
        async def nul() -> None:
            raise ValueError("a\x00b\ud800" * 10_000)

        async def broken() -> None:
            raise Awkward

        for name, function in (("nul", nul), ("broken", broken)):
            with pytest.raises(Exception, match="failed with"):
                await step.run(name, function)

    run = begin(awkward)
    drain()
    assert jobs.get(run.id).status == RunStatus.COMPLETED, jobs.get(run.id).error


class Colour(enum.Enum):
    RED = "red"


class Point(BaseModel):
    x: int
    at: datetime


@dataclass
class Pair:
    left: Decimal
    right: Path


MOMENT = datetime(2030, 1, 2, 3, 4, 5, 6, tzinfo=UTC)


def make_point() -> Point:
    return Point(x=1, at=MOMENT)


def make_points() -> dict[str, list[Point]]:
    return {"all": [make_point()]}


def make_pair() -> Pair:
    return Pair(Decimal("1.10"), Path("/tmp/a"))


def make_moment() -> datetime:
    return MOMENT


def make_bytes() -> bytes:
    return "größe".encode()


def make_set() -> set[int]:
    return {1, 2}


def make_tuple() -> tuple[int, str]:
    return 1, "one"


def make_colour() -> Colour | None:
    return Colour.RED


def make_uuid() -> UUID:
    return UUID(int=7)


def make_delta() -> timedelta:
    return timedelta(minutes=1)


async def make_later() -> Point:
    return make_point()


def make_untyped():  # type: ignore[no-untyped-def]
    return (1, 2)


TYPED = [make_point, make_points, make_pair, make_moment, make_bytes, make_set, make_tuple, make_colour, make_uuid,
         make_delta, make_later, make_untyped]  # fmt: skip


def test_results_have_their_declared_types_live_and_in_a_replay(driver: Driver) -> None:
    met: list[dict[str, Any]] = []

    async def stop() -> None:
        if len(met) == 1:
            await asyncio.Event().wait()

    @job("typed")
    async def typed(step: StepContext) -> None:
        met.append({function.__name__: await step.run(function.__name__, function) for function in TYPED})
        await step.run("stop", stop)

    run = begin(typed)
    driver.claim()
    until(lambda: Step.objects.filter(name="stop").exists())
    driver.kill()
    drain()
    assert jobs.get(run.id).status == RunStatus.COMPLETED
    live, replayed = met
    assert live == replayed
    expected = {function.__name__: function() for function in TYPED if function is not make_later}
    assert live == expected | {"make_untyped": [1, 2], "make_later": make_point()}
    assert [type(value) for value in live.values()] == [type(value) for value in replayed.values()]


def test_invalid_input_names_its_fields_and_starts_nothing() -> None:
    @job("point")
    async def point(step: StepContext, point: Point) -> None: ...

    with pytest.raises(InvalidInput) as met:
        jobs.start(point, {"x": "much"})
    assert [field["field"] for field in met.value.details["fields"]] == ["x", "at"]
    assert not Run.objects.exists()


def test_invalid_output_fails_the_run_with_the_field_named() -> None:
    @job("no-point")
    async def no_point(step: StepContext) -> Point:
        return {"x": "much", "at": MOMENT}  # type: ignore[return-value]

    run = begin(no_point)
    drain()
    error = jobs.get(run.id).error
    assert error["type"] == "InvalidOutput"
    assert "x:" in error["message"]


def test_the_size_limit_is_a_setting_and_the_error_names_it(settings: Any) -> None:
    settings.RUNS_MAX_PAYLOAD_BYTES = 100

    @job("small")
    async def small(step: StepContext, text: str) -> None: ...

    with pytest.raises(PayloadTooLarge, match="103 bytes and the limit is 100"):
        jobs.start(small, "x" * 101)
    jobs.start(small, "x" * 98)


def test_a_huge_log_line_or_checkpoint_is_refused_where_it_is_written() -> None:
    @job("huge")
    async def huge(step: StepContext) -> list[str]:
        met: list[str] = []
        with pytest.raises(PayloadTooLarge) as log:
            step.log.info("x", data="x" * 2**20)
        met.append(str(log.value)[:11])

        async def save(emit: Any, checkpoint: Any) -> str:
            with pytest.raises(PayloadTooLarge) as large:
                await checkpoint("x" * 2**20)
            return str(large.value)[:12]

        return [*met, await step.stream("save", save)]

    run = begin(huge)
    drain()
    assert jobs.get(run.id).output == ["The data of", "A checkpoint"]
    assert not Checkpoint.objects.exists()
    assert not Event.objects.filter(type="log:write").exists()
