"""The flow's own agent that is asked before people are, where a step cannot go on by itself."""

from typing import Any, Final

from flows.agents import naming
from flows.agents.execution.scene import Scene
from flows.agents.instructions.answer import question
from flows.agents.instructions.variables import filled_with_vars
from flows.agents.performing.blocked import blocked_text
from flows.agents.spec import Persona, Step
from flows.llm.chat import chat
from flows.llm.errors import TooManyTurns
from providers.scripted.entries import ScenarioUsedUp, as_override
from runs.errors import StepFailed

MOST_IN_A_ROW: Final = 3
"""Answers to one step before people are asked: two agents could go on like that for ever."""


async def answer_by_agent(scene: Scene, step: Step, work: str, said: str, needed: str) -> str | None:
    """What the flow's `answer_agent` says; None where people are to be asked: without one, if it cannot tell or fails,
    and after MOST_IN_A_ROW answers to the same step.
    """
    name = scene.flow.answer_agent
    if name is None or scene.state.answers_in_a_row.get(step.name, 0) >= MOST_IN_A_ROW:
        return None
    try:
        text = await _ask(scene, name, naming.part(work, naming.AGENT_ANSWER), _question(scene, step, said, needed))
    except (StepFailed, ScenarioUsedUp, TooManyTurns):
        return None
    if not text or blocked_text(text) is not None:
        return None
    scene.state.count_agent_answer(step.name)
    return text


def _question(scene: Scene, step: Step, said: str, needed: str) -> str:
    return question(step.name, scene.input.task, said, needed, scene.language)


async def _ask(scene: Scene, key: str, name: str, prompt: str) -> str:
    """Raises StepFailed, ScenarioUsedUp, TooManyTurns."""
    persona = scene.flow.personas.get(key, Persona())
    route: dict[str, Any] = {"profile": persona.profile, "model": persona.model, "persona": key}
    if scene.script is not None:  # a test needs no profile
        route = {"profile": "default", "override": as_override(scene.script.take(key))}
    system = filled_with_vars(persona.prompt.strip(), scene.variables)
    result = await chat(scene.step, name, prompt, system=system or None, **route)
    return result.text.strip()
