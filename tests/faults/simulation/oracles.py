"""What must hold when a simulation is over, read from the rows and from what its steps did outside."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from runs.maintenance.invariants import find_violations
from runs.models import Attempt, AttemptOutcome, Run, RunStatus, Signal, SignalKind, Step, StepStatus
from tests.faults.simulation.database import MemoryDatabase
from tests.faults.simulation.interpreter import FAILED, LATE, NOTHING_CAME, Outside
from tests.faults.simulation.people import People
from tests.faults.simulation.programs import Program


def find_wrong(people: People, outside: Outside) -> Iterator[str]:
    """Every promise that was not kept."""
    yield from outside.wrong
    yield from MemoryDatabase.seen()
    yield from (f"{one.invariant}: run {one.run.hex[-4:]} {one.detail}" for one in find_violations())
    for run in Run.objects.order_by("id"):
        yield from (f"run {run.id.hex[-4:]}: {wrong}" for wrong in _Ended(run, people, outside).wrong())


class _Ended:
    """One run at the end."""

    def __init__(self, run: Run, people: People, outside: Outside) -> None:
        self._run, self._people, self._outside = run, people, outside
        self._steps = {step.name: step for step in Step.objects.filter(run=run)}

    def wrong(self) -> Iterator[str]:
        yield from self._wrong_end()
        yield from self._wrong_steps()
        yield from self._wrong_signals()
        if not self._outside.hooks[self._run.id]:
            yield "its on_end hook was never called"
        if self._run.status == RunStatus.COMPLETED:
            yield from self._wrong_output(self._run.input["program"], self._run.output)

    def _wrong_end(self) -> Iterator[str]:
        allowed = {RunStatus.COMPLETED}
        if self._run.parent_id is not None:  # its parent may be cancelled, or have taken its failure
            allowed = {RunStatus.COMPLETED, RunStatus.FAILED, RunStatus.CANCELLED}
        elif self._run.id in self._people.cancelled:
            allowed = {RunStatus.CANCELLED}
        if self._run.status not in allowed:
            yield f"it is {self._run.status} ({self._run.reason}) {self._run.error}"

    def _wrong_steps(self) -> Iterator[str]:
        for step in self._steps.values():
            completed = Attempt.objects.filter(run=self._run, step_name=step.name, outcome=AttemptOutcome.COMPLETED)
            if completed.count() > 1:
                yield f"{step.name} was recorded {completed.count()} times"
            calls = self._outside.calls[self._run.id, step.name]
            if step.status == StepStatus.COMPLETED and step.kind in ("run", "stream", "transaction") and not calls:
                yield f"{step.name} was recorded and never called"
            if step.kind == "transaction":
                yield from self._wrong_effect(step)

    def _wrong_effect(self, step: Step) -> Iterator[str]:
        found = MemoryDatabase.effects(str(self._run.id), step.name)
        if found > 1 or (found != 1 and step.status == StepStatus.COMPLETED):
            yield f"{step.name} ({step.status}) left {found} effects"
        if found and step.status not in (StepStatus.COMPLETED, StepStatus.CANCELLED):
            yield f"{step.name} ({step.status}) left an effect and is not recorded"

    def _wrong_signals(self) -> Iterator[str]:
        signals = Signal.objects.filter(run=self._run, kind=SignalKind.SIGNAL).order_by("id")
        payloads = [signal.payload for signal in signals]
        if payloads != list(range(1, self._people.sent[self._run.id] + 1)):
            yield f"signals {payloads}, but {self._people.sent[self._run.id]} were sent"
        takers = [signal.consumed_by for signal in signals if signal.consumed_by]
        if len(set(takers)) != len(takers):
            yield f"one wait took several signals: {takers}"
        for signal in signals:
            yield from self._wrong_taker(signal)

    def _wrong_taker(self, signal: Signal) -> Iterator[str]:
        step = self._steps.get(signal.consumed_by or "")
        if step is not None and (step.status != StepStatus.COMPLETED or step.output["payload"] != signal.payload):
            yield f"signal {signal.payload} was taken by {step.name}, which is {step.status} with {step.output}"

    # -- what a program must have given

    def _wrong_output(self, program: Program, output: Any) -> Iterator[str]:
        if not isinstance(output, list) or len(output) != len(program):
            yield f"its output is {output} for {program}"
            return
        for one, value in zip(program, output, strict=True):
            yield from getattr(self, f"_of_{one['kind']}", self._of_nothing)(one, value)

    def _of_nothing(self, one: dict[str, Any], value: Any) -> Iterator[str]:
        if value is not None:
            yield f"{one['name']} gave {value!r}"

    def _of_step(self, one: dict[str, Any], value: Any) -> Iterator[str]:
        if one["tries"] <= one["fails"]:
            if value != FAILED:
                yield f"{one['name']} gave {value!r} though it always fails"
        else:
            yield from self._of_call(one["name"], value)

    def _of_call(self, name: str, value: Any) -> Iterator[str]:
        step = self._steps.get(name)
        if step is None or step.status != StepStatus.COMPLETED or step.output != value:
            yield f"{name} gave {value!r}, recorded is {step and (step.status, step.output)}"
            return
        made, _, number = str(value).rpartition("#")
        if made != name or not 1 <= int(number) <= self._outside.calls[self._run.id, name]:
            yield f"{name} gave {value!r} after {self._outside.calls[self._run.id, name]} calls"

    def _of_transaction(self, one: dict[str, Any], value: Any) -> Iterator[str]:
        yield from self._of_call(one["name"], value)

    def _of_map(self, one: dict[str, Any], value: Any) -> Iterator[str]:
        if len(value) != one["items"]:
            yield f"{one['name']} gave {value!r}"
        for index, item in enumerate(value):
            yield from self._of_call(f"{one['name']}[{index}]", item)

    def _of_stream(self, one: dict[str, Any], value: Any) -> Iterator[str]:
        if value != list(range(one["chunks"])):
            yield f"{one['name']} gave {value!r}"

    def _of_signal(self, one: dict[str, Any], value: Any) -> Iterator[str]:
        taken = Signal.objects.filter(run=self._run, consumed_by=one["name"]).values_list("payload", flat=True).first()
        if value != (NOTHING_CAME if taken is None else taken) or (taken is None and one["timeout"] is None):
            yield f"{one['name']} gave {value!r}, and took signal {taken}"

    def _of_child(self, one: dict[str, Any], value: Any) -> Iterator[str]:
        child = Run.objects.filter(id=_child_of(self._steps[one["name"]])).first()
        wanted = None if child is None else child.output if child.status == RunStatus.COMPLETED else FAILED
        if value != wanted:
            yield f"{one['name']} gave {value!r}, its child {wanted!r}"

    def _of_gather(self, one: dict[str, Any], value: Any) -> Iterator[str]:
        for branch, output in zip(one["branches"], value, strict=True):
            yield from self._wrong_output(branch, output)

    def _of_race(self, one: dict[str, Any], value: Any) -> Iterator[str]:
        yield from self._wrong_output(one["branches"][int(value[0].removeprefix("b"))], value[1])

    def _of_limit(self, one: dict[str, Any], value: Any) -> Iterator[str]:
        if value != LATE:
            yield from self._wrong_output(one["inner"], value)


def _child_of(step: Step) -> UUID | None:
    found = (step.output or {}).get("run") or (step.error or {}).get("run")
    return UUID(found) if found else None
