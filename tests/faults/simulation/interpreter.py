"""The job that all simulated runs are, and what it does outside of the engine: counted there, apart from its rows."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

from runs.errors import ChildFailed, SignalTimeout, StepFailed
from runs.jobs import EndedRun, Job, Retry, StepContext, job
from runs.models import Run, Step, StepStatus
from tests.faults.simulation.database import MemoryDatabase
from tests.faults.simulation.driving import current_token
from tests.faults.simulation.programs import SIGNAL, Program

FAILED, LATE, NOTHING_CAME = "failed", "late", "nothing came"
MANY_TRIES = 30
"""For what fails by a lost connection alone."""


class Broken(Exception):
    """What the world gives to a step that asks too early."""


@dataclass
class Outside:
    """What the steps did to the world, which no crash takes back."""

    calls: Counter[tuple[UUID, str]] = field(default_factory=Counter)
    hooks: Counter[UUID] = field(default_factory=Counter)
    is_mended: bool = False
    wrong: list[str] = field(default_factory=list)

    def call(self, run: UUID, step: str) -> int:
        """Number of this call of the step's function, from 1."""
        self._check_not_recorded(run, step)
        self.calls[run, step] += 1
        return self.calls[run, step]

    def _check_not_recorded(self, run: UUID, step: str) -> None:
        """Whoever still holds the run's lease knows what is recorded. One that lost it learns so when it writes."""
        token = Run.objects.values_list("lease_token", flat=True).get(id=run)
        recorded = Step.objects.filter(run_id=run, name=step, status=StepStatus.COMPLETED)
        if token == current_token(run) and recorded.exists():
            self.wrong.append(f"called after its result was recorded: run {run.hex[-4:]} {step}")


class Interpreter:
    """One execution of a program."""

    def __init__(self, context: StepContext, outside: Outside) -> None:
        self._context, self._outside = context, outside
        self._run = context.run_id

    async def all(self, program: Program) -> list[Any]:
        return [await getattr(self, f"do_{one['kind']}")(one) for one in program]

    # -- steps with a function

    async def do_step(self, one: dict[str, Any]) -> Any:
        function = self._sync_work if one["sync"] else self._work
        policy = Retry(max_attempts=one["tries"], initial=0.4, maximum=2.0)
        try:
            return await self._context.options(retries=policy).run(one["name"], function, one)
        except StepFailed:
            if one["broken"] and not self._outside.is_mended:
                raise  # the run fails, and somebody has it retried
            return FAILED

    async def _work(self, one: dict[str, Any]) -> str:
        result = partial(self._sync_work, one)
        if one["takes"]:
            await asyncio.sleep(one["takes"])
        return result()

    def _sync_work(self, one: dict[str, Any]) -> str:
        number = self._outside.call(self._run, one["name"])
        if one["broken"] and not self._outside.is_mended:
            raise Broken
        if (one["fails"] and number <= one["fails"]) or one["tries"] <= one["fails"]:
            raise ValueError(f"call {number}")
        return f"{one['name']}#{number}"

    async def do_map(self, one: dict[str, Any]) -> list[Any]:
        names = [f"{one['name']}[{index}]" for index in range(one["items"])]
        return await self._context.map(one["name"], self._item, names, concurrency=one["at_once"])

    async def _item(self, name: str) -> str:
        await asyncio.sleep(0.001 * len(name))
        return f"{name}#{self._outside.call(self._run, name)}"

    async def do_transaction(self, one: dict[str, Any]) -> str:
        return await self._context.options(retries=MANY_TRIES).transaction(one["name"], self._leave_effect, one["name"])

    def _leave_effect(self, name: str) -> str:
        number = self._outside.call(self._run, name)
        MemoryDatabase.leave_effect(str(self._run), name)
        return f"{name}#{number}"

    async def do_stream(self, one: dict[str, Any]) -> list[int]:
        return await self._context.stream(one["name"], partial(self._stream, one))

    async def _stream(self, one: dict[str, Any], emit: Any, checkpoint: Any) -> list[int]:
        self._outside.call(self._run, one["name"])
        done: list[int] = list(checkpoint.last or [])
        while len(done) < one["chunks"]:
            done.append(len(done))
            emit({"chunk": len(done)})
            await asyncio.sleep(0.003)
            if one["saves"]:
                await checkpoint(done)
        return done

    # -- waits

    async def do_sleep(self, one: dict[str, Any]) -> None:
        await self._context.sleep(one["name"], timedelta(seconds=one["seconds"]))

    async def do_signal(self, one: dict[str, Any]) -> Any:
        timeout = None if one["timeout"] is None else timedelta(seconds=one["timeout"])
        try:
            return await self._context.wait_for_signal(SIGNAL, name=one["name"], timeout=timeout)
        except SignalTimeout:
            return NOTHING_CAME

    async def do_child(self, one: dict[str, Any]) -> Any:
        try:
            return await self._context.child(one["name"], JOB, {"program": one["program"]})
        except ChildFailed:
            return FAILED

    # -- branches

    async def do_gather(self, one: dict[str, Any]) -> list[Any]:
        return await asyncio.gather(*(self.all(branch) for branch in one["branches"]))

    async def do_race(self, one: dict[str, Any]) -> Any:
        branches = {f"b{number}": self._branch(branch) for number, branch in enumerate(one["branches"])}
        winner = await self._context.race(one["name"], branches)
        return [winner.name, winner.value]

    def _branch(self, program: Program) -> Any:
        return lambda context: Interpreter(context, self._outside).all(program)

    async def do_limit(self, one: dict[str, Any]) -> Any:
        try:
            async with asyncio.timeout(one["seconds"]):
                return await self.all(one["inner"])
        except TimeoutError:
            return LATE

    # -- notes

    async def do_state(self, one: dict[str, Any]) -> None:
        self._context.state.update(**{one["name"]: 1})

    async def do_log(self, one: dict[str, Any]) -> None:
        self._context.log.info(one["name"])
        self._context.progress(1, 2, one["name"])


JOB = "simulated"


def register(outside: Outside) -> Job:
    """The job; its input is `{"program": ...}`."""

    async def ended(run: EndedRun) -> None:
        outside.hooks[run.id] += 1

    @job(JOB, on_end=ended)
    async def simulated(step: StepContext, input: dict[str, Any]) -> list[Any]:
        return await Interpreter(step, outside).all(input["program"])

    return simulated
