"""What all kinds of steps of one run share."""

from dataclasses import dataclass, field
from typing import Literal

from flows.agents.execution.state import FlowState
from flows.agents.instructions.building import persona_of, texts_of
from flows.agents.instructions.situation import Situation
from flows.agents.instructions.variables import filled
from flows.agents.performing.sessions import Sessions
from flows.agents.run_input import FlowInput
from flows.agents.script import Script
from flows.agents.spec import Flow, Persona, Step
from runs.jobs import StepContext


@dataclass
class Scene:
    """One run: its definition, what it was given, and what it knows so far. `folder` is its workspace, or empty.

    `definitions` are the digests of the flows that it calls, by name.
    """

    step: StepContext
    flow: Flow
    input: FlowInput
    state: FlowState = field(default_factory=FlowState)
    folder: str = ""
    script: Script | None = None
    sessions: Sessions = field(default_factory=Sessions)
    definitions: dict[str, str] = field(default_factory=dict)

    @property
    def language(self) -> Literal["en", "ja"]:
        return self.input.language or self.flow.language

    @property
    def variables(self) -> dict[str, str]:
        """What `{var:name}` stands for: what the run was given, else the default of the flow's parameter."""
        params = self.flow.subflow.params.items()
        return {name: one.default for name, one in params if one.default is not None} | self.input.vars

    def persona_of(self, step: Step) -> Persona:
        return persona_of(self.flow, step)

    def situation(self, step: Step) -> Situation:
        """What an agent of this step, or a person, is told of the run."""
        state = self.state
        context = {
            name: {"status": one.status, "content": one.content, "matched": one.matched, "output": one.output}
            for name, one in state.outputs.items()
        }
        return Situation(
            task=self.input.task, iteration=state.iteration, step_iteration=state.step_iterations.get(step.name, 0),
            max_steps=state.max_steps, previous=state.previous, user_inputs=tuple(state.user_inputs),
            reports=state.reports, structured=state.structured, context=context, variables=self.variables,
            folder=self.folder, review_scope=self.variables.get("review_scope", ""), language=self.language,
        )  # fmt: skip

    def filled(self, step: Step, text: str) -> str:
        """A text of the flow with its placeholders replaced."""
        return filled(text, self.situation(step), texts_of(self.language))
