"""Jobs of the tests. Each leaves a trace outside the database, so that a test can count what was really called."""

import asyncio
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pydantic import BaseModel, SecretStr

from runs.jobs import Retry, StepContext, SyncStepContext, current_attempt, job
from tests.jobs_app.held import Held

Emit = Callable[[Any], None]


class Lines(Held):
    """`steps` steps, each of which appends its name to the file `path` and lasts `pause_seconds`."""

    path: str
    steps: int = 50
    pause_seconds: float = 0.05


class Words(Held):
    """A stream of `words` words; the first attempt fails after `fail_after` of them, when that is given.

    `on_signal`: not before a signal `begin` has come.
    """

    words: int = 20
    pause_seconds: float = 0.05
    on_signal: bool = False
    fail_after: int | None = None
    path: str | None = None


class Gate(BaseModel):
    """A step that lasts until the file `path` exists."""

    path: str


class Message(BaseModel):
    text: str = "ok"


class Login(BaseModel):
    user: str
    password: SecretStr


def append(path: str, line: str) -> None:
    """One write, so that lines of several processes do not mix."""
    with open(path, "a") as file:
        file.write(f"{line}\n")


@job("append-lines")
async def append_lines(step: StepContext, lines: Lines) -> int:
    """Append a line per step, asynchronously."""

    async def call(number: int) -> str:
        await lines.hold(number)
        append(lines.path, f"line-{number}")
        await asyncio.sleep(lines.pause_seconds)
        return f"line-{number}"

    for number in range(1, lines.steps + 1):
        await step.run(f"line-{number}", call, number)
        step.progress(number, lines.steps, f"line {number}")
    return lines.steps


@job("append-lines-sync")
def append_lines_sync(step: SyncStepContext, lines: Lines) -> int:
    """Append a line per step, in a thread."""

    def call(name: str) -> str:
        append(lines.path, name)
        time.sleep(lines.pause_seconds)
        return name

    for number in range(1, lines.steps + 1):
        step.run(f"line-{number}", call, f"line-{number}")
    return lines.steps


@job("stream-words", retries=Retry(max_attempts=2, initial=0.1, jitter=0))
async def stream_words(step: StepContext, words: Words) -> str:
    """Stream words; the recorded result is the text of the last attempt."""

    async def write(emit: Emit) -> str:
        attempt = current_attempt().number
        said: list[str] = []
        for number in range(words.words):
            if attempt == 1 and words.fail_after == number:
                raise RuntimeError("the first attempt fails here")
            await words.hold(number)
            said.append(f"a{attempt}w{number} ")
            emit(said[-1])
            await asyncio.sleep(words.pause_seconds)
        return "".join(said)

    if words.on_signal:
        await step.wait_for_signal("begin")
    return await step.stream("words", write)


@job("count-with-checkpoints")
async def count_with_checkpoints(step: StepContext, words: Words) -> list[int]:
    """Count, saving each number; a later attempt goes on from the last one."""

    async def count(emit: Emit, checkpoint: Any) -> list[int]:
        seen: list[int] = checkpoint.last or []
        for number in range(len(seen), words.words):
            if words.path:
                append(words.path, str(number))
            seen = [*seen, number]
            emit(f"{number} ")
            await checkpoint(seen)
            await asyncio.sleep(words.pause_seconds)
        return seen

    return await step.stream("count", count)


@job("hold")
async def hold(step: StepContext, gate: Gate) -> str:
    """Run until a file appears."""

    async def wait() -> str:
        while not Path(gate.path).exists():
            await asyncio.sleep(0.02)
        return "released"

    return await step.run("wait", wait)


@job("hold-sync")
def hold_sync(step: SyncStepContext, gate: Gate) -> str:
    """Run in a thread until a file appears or the run is cancelled."""

    def wait() -> str:
        while not Path(gate.path).exists():
            if current_attempt().cancelled:
                append(f"{gate.path}.cancelled", "seen")
                return "cancelled"
            time.sleep(0.02)
        return "released"

    return step.run("wait", wait)


@job("echo")
async def echo(step: StepContext, message: Message) -> str:
    """Return the text."""

    async def same(text: str) -> str:
        return text

    return await step.run("echo", same, message.text)


@job("log-in")
async def log_in(step: StepContext, login: Login) -> str:
    """Take a secret, and return how long it is."""

    async def length() -> int:
        return len(login.password.get_secret_value())

    return f"{login.user}: {await step.run('length', length)}"


@job("fail")
async def fail(step: StepContext, message: Message) -> str:
    """Fail in a step."""

    async def raise_it() -> str:
        raise ValueError(message.text)

    return await step.run("raise", raise_it)


@job("wrong-output")
async def wrong_output(step: StepContext) -> Message:
    """Return something that does not fit the declared type."""
    return {"text": ["not", "text"]}  # type: ignore[return-value]


@job("poison")
async def poison(step: StepContext) -> str:
    """Kill the worker process, each time."""

    async def kill() -> str:
        os._exit(3)

    return await step.run("kill", kill)


@job("two-children")
async def two_children(step: StepContext, gate: Gate) -> list[str]:
    """One child ends at once, the other when a file appears."""
    return list(await asyncio.gather(step.child("quick", "echo", {"text": "done"}), step.child("slow", "hold", gate)))
