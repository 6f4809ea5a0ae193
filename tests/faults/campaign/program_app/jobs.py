"""Jobs that do what a program says, and note every call of a step outside of the engine."""

import asyncio
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.db import connection

from runs.errors import ChildFailed, SignalTimeout, StepFailed
from runs.jobs import EndedRun, Retry, StepContext, SyncStepContext, current_attempt, job
from tests.faults.campaign.program_app.notes import gate_of, note
from tests.faults.campaign.programs import Op, Program
from tests.faults.campaign.reading import mix

_QUICK_RETRY = Retry(max_attempts=5, initial=0.05, maximum=0.3)
_NEVER = timedelta(days=1)


def _note_end(run: EndedRun) -> None:
    note("end", run.input["key"], "-", run.status)


@job("program", on_end=_note_end)
async def run_program(step: StepContext, program: Program) -> int:
    """An async program; its value."""
    return await _line(step, program["key"], program["ops"], 0)


@job("program-sync", on_end=_note_end)
def run_program_sync(step: SyncStepContext, program: Program) -> int:
    """The same in a plain function, for the ops that need no second branch."""
    value = 0
    for op in program["ops"]:
        value = _sync_op(step, program["key"], op, value)
    return value


async def _line(step: StepContext, key: str, ops: list[Op], value: int) -> int:
    for op in ops:
        value = await _OPS[op["op"]](step, key, op, value)
    return value


def _sync_op(step: SyncStepContext, key: str, op: Op, value: int) -> int:
    name = op["name"]
    match op["op"]:
        case "plain_step" | "gated":
            function = _plain if op["op"] == "plain_step" else _gated
            done: int = step.run(name, function, key, op, value)
            return done
        case "flaky":
            done = step.options(retries=_QUICK_RETRY).run(name, _flaky, key, op, value)
            return done
        case "transaction":
            done = step.transaction(name, _transaction, key, op, value)
            return done
        case "sleep":
            step.sleep(name, timedelta(milliseconds=op["ms"]))
            return value
        case "signal":
            return mix(value, step.wait_for_signal(op["signal"], name=name))
        case "child":
            return mix(value, step.child(name, job_of(op["program"]), op["program"]))
    raise ValueError(op["op"])


def job_of(program: Program) -> str:
    return "program-sync" if program["sync"] else "program"


# ------------------------------------------------------------------------------------------------ functions of steps
async def _async(key: str, op: Op, name: str, value: int) -> int:
    note("call", key, name, current_attempt().number)
    await asyncio.sleep(op["ms"] / 1000)
    return mix(value, name)


def _plain(key: str, op: Op, value: int) -> int:
    note("call", key, op["name"], current_attempt().number)
    time.sleep(op["ms"] / 1000)
    return mix(value, op["name"])


def _flaky(key: str, op: Op, value: int) -> int:
    note("call", key, op["name"], current_attempt().number)
    time.sleep(op["ms"] / 1000)
    # by the number of calls: crashed ones count, so it never fails more often than the policy forgives
    if current_attempt().number <= op["failures"]:
        raise RuntimeError(f"{op['name']} fails for now")
    return mix(value, op["name"])


def _hopeless(key: str, name: str) -> None:
    note("call", key, name, current_attempt().number)
    raise RuntimeError(f"{name} always fails")


def _gated(key: str, op: Op, value: int) -> int:
    note("call", key, op["name"], current_attempt().number)
    if not gate_of(key).exists():
        raise RuntimeError("the gate is closed")
    return mix(value, op["name"])


def _transaction(key: str, op: Op, value: int) -> int:
    """Its row is there as often as the step is recorded."""
    note("call", key, op["name"], current_attempt().number)
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO campaign_effect (program, step) VALUES (%s, %s)", [key, op["name"]])
        time.sleep(op["ms"] / 1000 / 4)
    return mix(value, op["name"])


def _stream(key: str, op: Op, value: int) -> Callable[..., Any]:
    async def speak(emit: Any, checkpoint: Any) -> int:
        begun = checkpoint.last or 0
        note("call", key, op["name"], begun)
        for frame in range(begun + 1, op["frames"] + 1):
            emit({"frame": frame})
            await asyncio.sleep(op["ms"] / 1000)
            if frame % op["every"] == 0:
                await checkpoint(frame)
                note("saved", key, op["name"], frame)
        return mix(value, op["name"])

    return speak


# ---------------------------------------------------------------------------------------------------- ops of a program
async def _do_step(step: StepContext, key: str, op: Op, value: int) -> int:
    return await step.run(op["name"], _async, key, op, op["name"], value)


async def _do_plain_step(step: StepContext, key: str, op: Op, value: int) -> int:
    return await step.run(op["name"], _plain, key, op, value)


async def _do_gated(step: StepContext, key: str, op: Op, value: int) -> int:
    return await step.run(op["name"], _gated, key, op, value)


async def _do_flaky(step: StepContext, key: str, op: Op, value: int) -> int:
    return await step.options(retries=_QUICK_RETRY).run(op["name"], _flaky, key, op, value)


async def _do_hopeless(step: StepContext, key: str, op: Op, value: int) -> int:
    try:
        await step.options(retries=Retry(max_attempts=2, initial=0.05)).run(op["name"], _hopeless, key, op["name"])
    except StepFailed:
        return mix(value, f"{op['name']} called off")
    raise AssertionError("a step that always fails has completed")


async def _do_stream(step: StepContext, key: str, op: Op, value: int) -> int:
    done: int = await step.stream(op["name"], _stream(key, op, value))
    return done


async def _do_sleep(step: StepContext, key: str, op: Op, value: int) -> int:
    await step.sleep(op["name"], timedelta(milliseconds=op["ms"]))
    return value


async def _do_signal(step: StepContext, key: str, op: Op, value: int) -> int:
    return mix(value, await step.wait_for_signal(op["signal"], name=op["name"]))


async def _do_signal_timeout(step: StepContext, key: str, op: Op, value: int) -> int:
    try:
        await step.wait_for_signal("never", name=op["name"], timeout=timedelta(milliseconds=op["ms"]))
    except SignalTimeout:
        return mix(value, f"{op['name']} called off")
    raise AssertionError("a signal arrived that nobody sent")


async def _do_child(step: StepContext, key: str, op: Op, value: int) -> int:
    return mix(value, await step.child(op["name"], job_of(op["program"]), op["program"]))


async def _do_doomed(step: StepContext, key: str, op: Op, value: int) -> int:
    try:
        await step.child(op["name"], job_of(op["program"]), op["program"])
    except ChildFailed:
        return mix(value, f"{op['name']} called off")
    raise AssertionError("a child that must fail has completed")


async def _do_collapse(step: StepContext, key: str, op: Op, value: int) -> int:
    """A step fails the run while other branches are at any point of theirs."""

    async def fail() -> None:
        note("call", key, f"{op['name']}-fails", current_attempt().number)
        await asyncio.sleep(op["ms"] / 1000)
        raise RuntimeError("it collapses")

    await asyncio.gather(
        step.run(f"{op['name']}-fails", fail), *(_line(step, key, branch, value) for branch in op["branches"])
    )
    raise AssertionError("a run that must fail goes on")


async def _do_map(step: StepContext, key: str, op: Op, value: int) -> int:
    async def one(index: int) -> int:
        return await _async(key, op, f"{op['name']}[{index}]", value)

    return mix(value, await step.map(op["name"], one, range(op["count"]), concurrency=op["concurrency"]))


async def _do_gather(step: StepContext, key: str, op: Op, value: int) -> int:
    return mix(value, await asyncio.gather(*(_line(step, key, branch, value) for branch in op["branches"])))


async def _do_race(step: StepContext, key: str, op: Op, value: int) -> int:
    async def quick(step: StepContext) -> int:
        return await step.run(f"{op['name']}-quick", _async, key, op, f"{op['name']}-quick", value)

    async def slow(step: StepContext) -> None:
        await step.sleep(f"{op['name']}-slow", _NEVER)

    winner = await step.race(op["name"], {"slow": slow, "quick": quick})
    return mix(value, [winner.name, winner.value])


async def _do_call_off(step: StepContext, key: str, op: Op, value: int) -> int:
    async def endless() -> None:
        note("call", key, op["name"], current_attempt().number)
        await asyncio.Event().wait()

    try:
        async with asyncio.timeout(op["ms"] / 1000):
            await step.run(op["name"], endless)
    except TimeoutError:
        return mix(value, f"{op['name']} called off")
    raise AssertionError("an endless step has ended")


async def _do_transaction(step: StepContext, key: str, op: Op, value: int) -> int:
    return await step.transaction(op["name"], _transaction, key, op, value)


_OPS: dict[str, Callable[..., Any]] = {
    "step": _do_step,
    "plain_step": _do_plain_step,
    "gated": _do_gated,
    "flaky": _do_flaky,
    "hopeless": _do_hopeless,
    "stream": _do_stream,
    "sleep": _do_sleep,
    "signal": _do_signal,
    "signal_timeout": _do_signal_timeout,
    "child": _do_child,
    "map": _do_map,
    "gather": _do_gather,
    "doomed": _do_doomed,
    "collapse": _do_collapse,
    "race": _do_race,
    "call_off": _do_call_off,
    "transaction": _do_transaction,
}
