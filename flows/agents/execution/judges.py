"""Judges: model calls that choose among conditions. Each is a recorded step, and never asked again."""

from dataclasses import dataclass
from typing import Any

from flows.agents import naming
from flows.agents.execution.scene import Scene
from flows.agents.rules import judging
from flows.agents.rules.choosing import JudgeWord
from flows.agents.spec import Persona, Step
from flows.llm.chat import chat
from providers.scripted.entries import as_override

PERSONA = "judge"
"""Who judges, in a flow's personas and in scenarios."""


@dataclass(slots=True)
class RuleJudge:
    """Judges one answer of a step; `repeated` counts how often the run was retried for want of a verdict."""

    scene: Scene
    step: Step
    work: str
    answer: str
    repeated: int = 0
    was_asked: bool = False

    async def __call__(self, part: str, conditions: list[str]) -> JudgeWord:
        """Raises StepFailed, ScenarioUsedUp."""
        self.was_asked = True
        prompt = judging.question(self.step.name, conditions, self.answer, self.scene.language)
        persona = self.scene.flow.personas.get(PERSONA) or self.scene.persona_of(self.step)
        named = PERSONA in self.scene.flow.personas
        name = naming.part(self.work, part, self.repeated)
        return await ask_judge(self.scene, name, prompt, len(conditions), persona, persona.prompt if named else "")


async def ask_judge(scene: Scene, name: str, prompt: str, count: int, persona: Persona, system: str = "") -> JudgeWord:
    """The verdict over `count` conditions. Raises StepFailed, ScenarioUsedUp."""
    route: dict[str, Any] = {"profile": persona.profile, "model": persona.model, "persona": PERSONA}
    if scene.script is not None:  # a test needs no profile
        route = {"profile": "default", "override": as_override(scene.script.take(PERSONA))}
    result = await chat(scene.step, name, prompt, system=system or None, **route)
    return JudgeWord(prompt, result.text, judging.verdict(result.text, count))
