"""The judge of a cycle: whether a flow that goes round and round gets anywhere."""

from flows.agents import naming
from flows.agents.execution.judges import PERSONA, ask_judge
from flows.agents.execution.scene import Scene
from flows.agents.rules import judging
from flows.agents.rules.choosing import JudgeWord
from flows.agents.rules.loops import judge_name
from flows.agents.spec import LoopMonitor, Persona
from providers.scripted.entries import ScenarioUsedUp
from runs.errors import StepFailed
from runs.events.types import EventType

LONGEST_SAID = 8_000
_INSTRUCTIONS = {
    "en": "The steps {cycle} were gone through {cycle_count} times in this order. Decide whether it makes progress.",
    "ja": "ステップ {cycle} がこの順で{cycle_count}回繰り返されました。進捗があるかどうかを判断してください。",
}


async def judge_cycle(scene: Scene, monitor: LoopMonitor, work: str) -> str | None:
    """The target that its judge chooses; None for one without a verdict, and then the rules' own choice stays."""
    name, rules = naming.part(work, naming.LOOP_JUDGE), monitor.judge.rules
    prompt = judging.question(
        judge_name(monitor), [rule.condition for rule in rules], _said(scene, monitor), scene.language,
        _instruction(scene, monitor),
    )  # fmt: skip
    persona = scene.flow.personas.get(monitor.judge.persona or PERSONA, Persona())
    try:
        word = await ask_judge(scene, name, prompt, len(rules), persona, persona.prompt)
    except (StepFailed, ScenarioUsedUp) as exc:
        word = JudgeWord(prompt, str(exc), None)
    verdict = None if word.number is None else rules[word.number - 1].next
    data = {
        "cycle": list(monitor.cycle), "threshold": monitor.threshold, "verdict": verdict,
        "judge": {"prompt": word.prompt, "answer": word.answer},
    }  # fmt: skip
    scene.step.note(EventType.FLOW_LOOP, data, step=work)
    return verdict


def _instruction(scene: Scene, monitor: LoopMonitor) -> str:
    text = monitor.judge.instruction or _INSTRUCTIONS[scene.language]
    return text.replace("{cycle_count}", str(monitor.threshold)).replace("{cycle}", " → ".join(monitor.cycle))


def _said(scene: Scene, monitor: LoopMonitor) -> str:
    outputs = scene.state.outputs
    parts = [f"## {name}\n{outputs[name].content[-LONGEST_SAID:]}" for name in monitor.cycle if name in outputs]
    return "\n\n".join(parts)
