"""Jobs whose first call kills its own process, at a moment that is theirs to choose."""

import os
import signal
import time
from pathlib import Path
from typing import Literal

from django.contrib.auth.models import Group
from django.db import transaction
from pydantic import BaseModel

from runs.jobs import Budget, StepContext, SyncStepContext, current_attempt, job


class Record(BaseModel):
    """A row to make; the file `path` gets a line for each call of the function that makes it."""

    name: str
    path: str
    die: Literal["before the commit", "after the commit"]


@job("record-a-row")
async def record_a_row(step: StepContext, record: Record) -> str:
    """Make a row in a transactional step."""
    name = await step.transaction("make", _make, record)
    return await step.run("after", lambda: name)


@job("record-a-row-sync")
def record_a_row_sync(step: SyncStepContext, record: Record) -> str:
    """The same in a plain function."""
    name = step.transaction("make", _make, record)
    return step.run("after", lambda: name)


def _make(record: Record) -> str:
    row = Group.objects.create(name=record.name)
    with open(record.path, "a") as file:
        file.write("called\n")
    if len(Path(record.path).read_text().split()) == 1:
        if record.die == "before the commit":
            _die()
        # called by Django when the transaction is committed, and nobody has been told of it
        transaction.on_commit(_die)
    return row.name


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class Collection(BaseModel):
    """So many signals; the file `path` gets a line for each call of the step that follows one."""

    count: int
    path: str


@job("collect-signals")
async def collect_signals(step: StepContext, collection: Collection) -> list[int]:
    """Take signals one after the other."""
    found = []
    for place in range(collection.count):
        number = await step.wait_for_signal("number", type=int)
        found.append(await step.run(f"note {place}", _note, collection.path, number))
    return found


def _note(path: str, number: int) -> int:
    with open(path, "a") as file:
        file.write(f"{number}\n")
    return number


@job("block-the-loop")
async def block_the_loop(step: StepContext, collection: Collection) -> int:
    """Block the event loop of its process for `count` seconds, which nobody should do."""

    async def block() -> int:
        time.sleep(collection.count)  # noqa: ASYNC251  (that is the mistake)
        return _note(collection.path, collection.count)

    return await step.run("block", block)


class Expense(BaseModel):
    """So many steps of 100 tokens each; the file `path` gets a line for each call of one."""

    steps: int
    path: str


@job("spend-and-die", budget=Budget(tokens=300))
async def spend_and_die(step: StepContext, expense: Expense) -> int:
    """The call of every second step kills its process when it is made for the first time."""

    def call(number: int) -> int:
        with open(expense.path, "a") as file:
            file.write(f"{number}\n")
        if number % 2 and Path(expense.path).read_text().split().count(str(number)) == 1:
            _die()
        current_attempt().usage(input_tokens=100)
        return 100

    return sum([await step.run(f"call {number}", call, number) for number in range(expense.steps)])
