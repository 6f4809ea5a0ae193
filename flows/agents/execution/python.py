"""Steps that a registered Python function does."""

import inspect
import json
from dataclasses import dataclass
from typing import Any

from flows.agents.execution.outcome import Outcome
from flows.agents.execution.scene import Scene
from flows.agents.execution.units import Performed
from flows.agents.registry import NotRegistered, Work, function_of
from flows.agents.spec import Step
from runs.errors import StepFailed


@dataclass(slots=True)
class PythonUnit:
    """`work` names the recorded step of the call."""

    scene: Scene
    step: Step
    work: str

    async def prepare(self) -> None:
        return None

    async def perform(self) -> Performed:
        try:
            output = await self.scene.step.run(self.work, self._call())
        except StepFailed as exc:
            told = str(exc.error.get("message") or exc)
            return Performed(outcome=Outcome(status="error", error=told, failed_steps=exc.failed_steps))
        if isinstance(output, str):
            return Performed(outcome=Outcome(content=output, output=output))
        content = json.dumps(output, ensure_ascii=False, indent=2)
        return Performed(outcome=Outcome(content=content, structured=output, output=output))

    def settle(self, performed: Performed) -> Outcome:
        return performed.outcome

    def _call(self) -> Any:
        """Looked up inside the recorded step: a function that is gone fails the step, and a retry finds it again."""
        name, given = self.step.function or "", self._work()
        try:
            is_async = inspect.iscoroutinefunction(function_of(name))
        except NotRegistered:
            is_async = False

        async def in_loop() -> Any:
            return await function_of(name)(given)

        def in_thread() -> Any:
            return function_of(name)(given)

        return in_loop if is_async else in_thread

    def _work(self) -> Work:
        scene, state = self.scene, self.scene.state
        return Work(
            step=self.step.name, iteration=state.iteration, task=scene.input.task,
            arguments={name: scene.filled(self.step, text) for name, text in self.step.with_.items()},
            previous=state.previous or "", outputs={name: one.content for name, one in state.outputs.items()},
            structured=dict(state.structured), folder=scene.folder,
        )  # fmt: skip
