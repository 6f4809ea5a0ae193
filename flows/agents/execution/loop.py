"""The loop of a flow: one step after the other, as its rules choose."""

from dataclasses import dataclass
from typing import Any

from flows.agents import naming
from flows.agents.execution.aborting import AbortKind, abort
from flows.agents.execution.asking import ask_blocked, ask_user, stay_within_limit
from flows.agents.execution.deciding import Decision, decide, transition_of
from flows.agents.execution.monitoring import judge_cycle
from flows.agents.execution.outcome import Outcome
from flows.agents.execution.scene import Scene
from flows.agents.execution.steering import Interrupted, Steering
from flows.agents.execution.working import work_of
from flows.agents.rules.loops import LoopDetector, Monitors
from flows.agents.spec import ABORT, COMPLETE, Step
from providers.scripted.entries import ScenarioUsedUp
from runs.errors import StepFailed
from runs.events.types import EventType


@dataclass(frozen=True, slots=True)
class End:
    """The flow is complete; `returned` is the label that a sub-flow ends with."""

    outcome: Outcome
    returned: str | None


class Loop:
    """Drives the iterations of one run. Nothing of it is kept: a replay computes it anew from the recorded steps."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._flow, self._state = scene.flow, scene.state
        self._detector = LoopDetector(scene.flow.loop_detection)
        self._monitors = Monitors(scene.flow.loop_monitors)
        self._steering = Steering(
            scene.step, single_step=scene.input.single_step, interventions=scene.flow.interventions
        )

    async def run(self) -> dict[str, Any]:
        """Until the flow is complete; the run's output. Raises FlowAborted."""
        step = self._step(self._flow.initial_step)
        while True:
            await self._begin(step)
            to = await self._iterate(step)
            if isinstance(to, End):
                number = self._state.iteration
                self._scene.step.progress(number, number, "completed")  # it did not stop short of its limit
                return self._output(to)
            step = to

    async def _begin(self, step: Step) -> None:
        """All that may hold or end the run before the next iteration."""
        number = self._state.iteration + 1
        for text in await self._steering.at_boundary(number, step.name):
            self._state.add_user_input(text)
        await stay_within_limit(self._scene, step)
        loop = self._detector.about_to_run(step.name)
        if loop is not None:
            work = naming.work(number, step.name)
            data = {"step": loop.step, "count": loop.count, "action": loop.action}
            self._scene.step.note(EventType.FLOW_LOOP, data, step=work)
            if loop.action == "abort":
                await abort(self._scene, AbortKind.LOOP_DETECTED, loop.message, at=work)

    async def _iterate(self, step: Step) -> Step | End:
        number = self._state.begin(step)
        work = naming.work(number, step.name)
        self._scene.step.progress(number, self._state.max_steps, step.name)
        try:
            return await self._go_through(step, work)
        except StepFailed as exc:
            failed = Outcome(status="error", error=str(exc.error.get("message")), failed_steps=exc.failed_steps)
        except ScenarioUsedUp as exc:
            failed = Outcome(status="error", error=str(exc))
        await self._fail(step, work, failed)
        return step

    async def _go_through(self, step: Step, work: str) -> Step | End:
        outcome = await work_of(self._scene, self._steering, step, work)
        if isinstance(outcome, Interrupted):
            return self._interrupted(step, work, outcome)
        self._state.keep(step.name, outcome.as_output)
        if outcome.status == "blocked":
            await ask_blocked(self._scene, step, work, outcome.content)
            return step
        if outcome.status == "error":
            await self._fail(step, work, outcome)
            return step
        decision = await decide(self._scene, step, work, outcome)
        if decision is None:
            return step
        if decision.rule is not None and decision.rule.requires_user_input:
            told = transition_of(self._scene, step, step.name, decision)
            self._scene.step.note(EventType.FLOW_TRANSITION, told, step=work)
            await ask_user(self._scene, step, work, decision.rule.condition, outcome.content)
            return step
        return await self._move(step, work, outcome, decision)

    async def _move(self, step: Step, work: str, outcome: Outcome, decision: Decision) -> Step | End:
        self._state.answers_in_a_row.pop(step.name, None)
        target = decision.target
        monitor = self._monitors.completed(step.name, target)
        if monitor is not None:
            target = await judge_cycle(self._scene, monitor, work) or target
        told = transition_of(self._scene, step, target, decision)
        if target == ABORT:
            reason = "Workflow aborted by step transition"
            await abort(self._scene, AbortKind.STEP_TRANSITION, reason, at=work, told=told)
            return step
        self._scene.step.note(EventType.FLOW_TRANSITION, told, step=work)
        self._state.previous = outcome.content
        return End(outcome, decision.returned) if target == COMPLETE else self._step(target)

    async def _fail(self, step: Step, work: str, outcome: Outcome) -> None:
        # what failed in the branch of a sub-step cannot be taken up again there: see abort
        own = () if step.kind == "parallel" else outcome.failed_steps
        reason = f'Step "{step.name}" failed: {outcome.error}'
        await abort(self._scene, AbortKind.STEP_ERROR, reason, at=work, failed_steps=own)

    def _interrupted(self, step: Step, work: str, by: Interrupted) -> Step:
        self._state.add_user_input(by.message)
        data = {
            "iteration": self._state.iteration, "step_iteration": self._state.step_iterations[step.name],
            "from": step.name, "to": step.name, "condition": None, "rule": None, "method": "interrupt", "judge": None,
            "notes": [],
        }  # fmt: skip
        self._scene.step.note(EventType.FLOW_TRANSITION, data, step=work)
        return step

    def _step(self, name: str) -> Step:
        found = self._flow.step(name)
        assert found is not None, name  # the loader refuses unknown targets
        return found

    def _output(self, end: End) -> dict[str, Any]:
        state, script = self._state, self._scene.script
        matched = [{"step": one.step, "condition": one.condition, "method": one.method} for one in state.matched]
        own_limit = self._flow.max_steps is None or (self._scene.input.max_steps or 0) < self._flow.max_steps
        is_given = self._scene.input.max_steps is not None and own_limit
        return {
            "status": "completed", "iterations": state.iteration, "path": state.path, "matched": matched,
            "content": end.outcome.content, "structured": end.outcome.structured, "reports": list(state.reports),
            "returned": end.returned,
            "shared": {
                "spent": state.spent, "granted": state.granted if is_given else 0,
                "scenario": script.left if script is not None else [],
            },
        }  # fmt: skip
