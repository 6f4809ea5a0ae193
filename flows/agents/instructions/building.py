"""All that one agent is told for one iteration of a step."""

from dataclasses import dataclass

from flows.agents.instructions import sections, status
from flows.agents.instructions.situation import Situation
from flows.agents.instructions.texts import Texts
from flows.agents.instructions.texts_en import ENGLISH
from flows.agents.instructions.texts_ja import JAPANESE
from flows.agents.instructions.variables import filled_with_vars
from flows.agents.spec import Flow, Persona, Step

_LANGUAGES = {"en": ENGLISH, "ja": JAPANESE}
_BETWEEN = "\n\n---\n\n"


@dataclass(frozen=True, slots=True)
class Built:
    """What is sent: once as what the agent is, once as what it is to do."""

    system: str
    instruction: str


def build(flow: Flow, step: Step, sub: Step | None, situation: Situation) -> Built:
    """The words for a step, or for a sub-step of the parallel step `step`. The same arguments give the same words."""
    done = sub or step
    texts = texts_of(situation.language or flow.language)
    persona = persona_of(flow, done)
    parts = (
        sections.execution(done, situation, texts),
        sections.workflow(done, situation, texts),
        sections.request(done, situation, texts),
        sections.previous(done, situation, texts),
        sections.inputs(done, situation, texts),
        sections.reports(done, persona, situation, texts),
        sections.instructions(done, situation, texts),
        sections.gates(done, situation, texts),
        sections.structured(done, texts),
        sections.blocked(texts),
        status.rules(done, situation, texts),
    )
    return Built(_system(flow, done, persona, situation, texts), "\n\n".join(part for part in parts if part))


def texts_of(language: str) -> Texts:
    """The words of a language, English for one that is not known."""
    return _LANGUAGES.get(language, ENGLISH)


def persona_of(flow: Flow, step: Step) -> Persona:
    """Who does a step: a step that names nobody is done by whoever has its name, or by a plain agent."""
    return flow.personas.get(step.persona or step.name, Persona())


def _system(flow: Flow, step: Step, persona: Persona, situation: Situation, texts: Texts) -> str:
    policies = _BETWEEN.join(flow.policies[key].strip() for key in step.policy if key in flow.policies)
    knowledge = _BETWEEN.join(flow.knowledge[key].strip() for key in step.knowledge if key in flow.knowledge)
    parts = (
        persona.prompt.strip(),
        f"{texts.policy}\n{policies}" if policies else "",
        f"{texts.knowledge}\n{knowledge}" if knowledge else "",
    )
    return filled_with_vars("\n\n".join(part for part in parts if part), situation.variables)
