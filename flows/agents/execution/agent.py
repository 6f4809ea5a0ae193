"""Steps that agents do: the instruction, recorded as it is sent, and the agent's answer to it."""

from dataclasses import dataclass
from typing import Any

from flows.agents import naming
from flows.agents.calls import AgentCall, Answer, Session
from flows.agents.execution.outcome import Outcome
from flows.agents.execution.scene import Scene
from flows.agents.execution.units import Performed
from flows.agents.instructions.building import build
from flows.agents.performing.agents import perform
from flows.agents.performing.sessions import key_of
from flows.agents.spec import Step
from providers.scripted.entries import ScenarioUsedUp


@dataclass(slots=True)
class AgentUnit:
    """`work` names the recorded steps of the agent; `parent` is the parallel step that it is a sub-step of."""

    scene: Scene
    step: Step
    work: str
    parent: Step | None = None
    system: str = ""
    instruction: str = ""
    entry: Any = None
    problem: str = ""

    async def prepare(self) -> None:
        built = await self.scene.step.run(naming.part(self.work, naming.INSTRUCTION), self._build)
        self.system, self.instruction = built["system"], built["instruction"]
        if self.scene.script is not None:
            try:
                self.entry = self.scene.script.take(self.step.persona or self.step.name, self.step.persona_name)
            except ScenarioUsedUp as exc:
                self.problem = str(exc)

    async def perform(self) -> Performed:
        if self.problem:
            return Performed(outcome=Outcome(status="error", error=self.problem))
        async with self.scene.sessions.held(self.step, self.parent) as held:
            before = held.session
            answer = await perform(self._call(before))
            held.session = answer.session or before
        return Performed.in_session(
            _outcome(answer), answer.reports, before or Session(), answer.session or before or Session()
        )

    def settle(self, performed: Performed) -> Outcome:
        key = key_of(self.step, self.parent)
        before = None if self.step.session == "refresh" else self.scene.sessions.get(key)
        self.scene.sessions.keep(key, performed.session_after(before))
        self.scene.state.reports.update(performed.reports)
        return performed.outcome

    def _call(self, session: Session | None) -> AgentCall:
        return AgentCall(
            scene=self.scene, name=self.work, step=self.step, persona=self.scene.persona_of(self.step),
            system=self.system, instruction=self.instruction, session=session, entry=self.entry,
        )  # fmt: skip

    def _build(self) -> dict[str, str]:
        sub = self.step if self.parent is not None else None
        built = build(self.scene.flow, self.parent or self.step, sub, self.scene.situation(self.step))
        return {"system": built.system, "instruction": built.instruction}


def _outcome(answer: Answer) -> Outcome:
    return Outcome(
        status=answer.status, content=answer.content, structured=answer.structured, error=answer.error,
        failed_steps=answer.failed_steps,
    )  # fmt: skip
