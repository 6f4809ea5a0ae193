"""What a flow asks of itself: whether it may go on beyond its limit, and what a blocked step needs."""

import re
from typing import Any, Literal

from flows.agents import naming
from flows.agents.execution.aborting import AbortKind, abort
from flows.agents.execution.answering import answer_by_agent
from flows.agents.execution.scene import Scene
from flows.agents.spec import Step
from hitl.errors import QuestionWithdrawn
from hitl.models import Kind
from hitl.questions import ask
from runs.events.types import EventType

MORE = "more"
ANSWER = "answer"
LONGEST_SHOWN = 20_000
_PROMPTS = [re.compile(rf"{word}[:\uff1a]\s*(.+)") for word in ("必要な情報", "質問", "理由", "確認")]
TEXT_SCHEMA = {
    "type": "object",
    "properties": {ANSWER: {"type": "string", "title": "Answer", "minLength": 1, "maxLength": 10_000}},
    "required": [ANSWER],
    "additionalProperties": False,
}


def prompt_of(content: str) -> str:
    """What a blocked agent needs: what stands after 必要な情報:, 質問:, 理由: or 確認:, else all that it said."""
    found = next(filter(None, (one.search(content) for one in _PROMPTS)), None)
    return (found[1] if found else content).strip()


async def stay_within_limit(scene: Scene, step: Step) -> None:
    """Ask for more iterations where none is left. Raises FlowAborted where none is granted."""
    state = scene.state
    work = naming.work(state.iteration + 1, step.name)
    repeated = 0
    while state.max_steps is not None and state.spent >= state.max_steps:
        granted = await _ask_for_more(scene, step, naming.part(work, naming.LIMIT, repeated))
        data = {"iteration": state.iteration, "max": state.max_steps, "granted": granted}
        scene.step.note(EventType.FLOW_LIMIT, data, step=work)
        if granted:
            state.max_steps += granted
            state.granted += granted
            return
        await abort(scene, AbortKind.ITERATION_LIMIT, "Max iterations reached", at=work, repeated=repeated)
        repeated += 1


async def _ask_for_more(scene: Scene, step: Step, name: str) -> int:
    limit = scene.state.max_steps or 1
    more = {"type": "integer", "title": "More iterations", "minimum": 1, "maximum": 10_000, "default": limit}
    schema = {"type": "object", "properties": {MORE: more}, "required": [MORE], "additionalProperties": False}
    body = (
        f"All {limit} iterations are used, and the next step would be **{step.name}**. "
        "Approve to let it go on, with as many more as you say; deny, and the run ends."
    )
    try:
        outcome = await ask(
            scene.step, f"{scene.flow.name}: more iterations?", name=name, kind=Kind.LIMIT, schema=schema, body=body,
            context={"flow": scene.flow.name, "iterations": scene.state.iteration, "limit": limit, "next": step.name},
            starter_may_answer=True,
        )  # fmt: skip
    except QuestionWithdrawn:
        return 0
    if not outcome.approved:
        return 0
    return int((outcome.value or {}).get(MORE, limit))


async def ask_blocked(scene: Scene, step: Step, work: str, content: str) -> None:
    """The answer becomes a user's input: the flow's own agent's, else people's. Raises FlowAborted without any."""
    prompt = prompt_of(content)
    if await _answered_by_agent(scene, step, work, content, prompt):
        return None
    repeated = 0
    while True:
        name = naming.part(work, naming.BLOCKED, repeated)
        answered = await _ask_for_text(scene, f"{step.name} needs something to go on", name, prompt, content)
        _tell(scene, step, work, prompt, "people" if answered is not None else None)
        if answered is not None:
            return _take(scene, step, answered)
        reason = "Workflow blocked and no user input provided"
        await abort(scene, AbortKind.BLOCKED, reason, at=work, repeated=repeated)
        repeated += 1


async def ask_user(scene: Scene, step: Step, work: str, condition: str, content: str) -> None:
    """A rule wants a word of people, or of who answers for them, before the step is done again.

    Raises FlowAborted where there is none.
    """
    prompt = prompt_of(content)
    needed = condition if prompt == content.strip() else f"{condition}\n\n{prompt}"
    if await _answered_by_agent(scene, step, work, content, needed):
        return None
    repeated = 0
    while True:
        name = naming.part(work, naming.USER_INPUT, repeated)
        answered = await _ask_for_text(scene, f"{step.name}: {condition}"[:180], name, content, content)
        if answered is not None:
            return _take(scene, step, answered)
        await abort(scene, AbortKind.USER_INPUT_CANCELLED, "User input cancelled", at=work, repeated=repeated)
        repeated += 1


async def _answered_by_agent(scene: Scene, step: Step, work: str, content: str, needed: str) -> bool:
    answered = await answer_by_agent(scene, step, work, content, needed)
    if answered is None:
        return False
    _tell(scene, step, work, needed, "agent")
    scene.state.add_user_input(answered)
    return True


def _tell(scene: Scene, step: Step, work: str, prompt: str, by: Literal["agent", "people"] | None) -> None:
    data = {"step": step.name, "prompt": prompt[:LONGEST_SHOWN], "answered": by is not None, "by": by}
    scene.step.note(EventType.FLOW_BLOCKED, data, step=work)


def _take(scene: Scene, step: Step, answered: str) -> None:
    scene.state.answers_in_a_row.pop(step.name, None)
    scene.state.add_user_input(answered)


async def _ask_for_text(scene: Scene, title: str, name: str, body: str, content: str) -> str | None:
    """None where the question was withdrawn."""
    context: dict[str, Any] = {"flow": scene.flow.name}
    if content.strip() != body:
        context["answer"] = content[:LONGEST_SHOWN]
    try:
        outcome = await ask(
            scene.step, title, name=name, kind=Kind.INPUT, schema=TEXT_SCHEMA, body=body[:LONGEST_SHOWN],
            context=context, starter_may_answer=True,
        )  # fmt: skip
    except QuestionWithdrawn:
        return None
    return str(outcome.value[ANSWER])
