"""What all kinds of steps of one run share."""

from dataclasses import dataclass, field
from typing import Any

from flows.agents.execution.state import FlowState
from flows.agents.performing.sessions import Sessions
from flows.agents.run_input import FlowInput
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
    script: Any = None
    sessions: Sessions = field(default_factory=Sessions)
    definitions: dict[str, str] = field(default_factory=dict)

    @property
    def language(self) -> str:
        return self.input.language or self.flow.language

    def persona_of(self, step: Step) -> Persona:
        """Who does a step: a step that names nobody is done by whoever has its name, or by a plain agent."""
        return self.flow.personas.get(step.persona or step.name, Persona())
