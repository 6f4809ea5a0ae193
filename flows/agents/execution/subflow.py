"""Steps that call another flow, as a run of its own. What it spends of max_steps counts here too."""

from dataclasses import dataclass

from flows.agents.execution.outcome import Outcome
from flows.agents.execution.scene import Scene
from flows.agents.execution.units import Performed
from flows.agents.run_input import FlowInput
from flows.agents.spec import ABORT, COMPLETE, Step
from runs.errors import ChildFailed

JOB = "agent-flow"
TASK = "task"


@dataclass(slots=True)
class FlowUnit:
    """`work` names the recorded child run. A retry of this run starts a child that failed once more."""

    scene: Scene
    step: Step
    work: str

    async def prepare(self) -> None:
        return None

    async def perform(self) -> Performed:
        name = self.step.call or ""
        try:
            output = await self.scene.step.child(self.work, JOB, self._input(name), labels={"flow": name})
        except ChildFailed as exc:
            if any(rule.condition.strip() == ABORT for rule in self.step.rules):
                return Performed(outcome=Outcome(content=exc.message, returned=ABORT))
            return Performed(outcome=Outcome(status="error", error=exc.message, failed_steps=exc.failed_steps))
        return Performed(
            outcome=Outcome(
                content=output["content"], structured=output["structured"], output=output,
                returned=output["returned"] or COMPLETE,
            )
        )  # fmt: skip

    def settle(self, performed: Performed) -> Outcome:
        output = performed.outcome.output
        if isinstance(output, dict):
            state, shared = self.scene.state, output["shared"]
            state.spent += shared["spent"]
            state.granted += shared["granted"]
            if state.max_steps is not None:
                state.max_steps += shared["granted"]
            if self.scene.script is not None:
                self.scene.script.keep(shared["scenario"])
        return performed.outcome

    def _input(self, name: str) -> dict[str, object]:
        scene = self.scene
        given = {name: scene.filled(self.step, text) for name, text in self.step.with_.items()}
        state = scene.state
        left = None if state.max_steps is None else max(1, state.max_steps - state.spent)
        made = FlowInput(
            flow=name, task=given.pop(TASK, scene.input.task), definition=scene.definitions.get(name, ""),
            definitions=scene.definitions, folder=scene.folder, vars=given, max_steps=left,
            language=scene.input.language, scenario=scene.script.left if scene.script is not None else None,
        )  # fmt: skip
        return made.model_dump(mode="json", exclude_defaults=True)
