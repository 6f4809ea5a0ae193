"""What comes after an iteration: which rule matched, and how that was found out."""

from dataclasses import dataclass, replace
from typing import Any

from flows.agents.execution.aborting import AbortKind, abort
from flows.agents.execution.judges import RuleJudge
from flows.agents.execution.outcome import Outcome
from flows.agents.execution.scene import Scene
from flows.agents.execution.state import Matched
from flows.agents.rules.choosing import Answered, Choice, choose
from flows.agents.spec import COMPLETE, Rule, Step


@dataclass(frozen=True, slots=True)
class Decision:
    """Where it goes on: `target` is a step, COMPLETE or ABORT. `returned` is the label that a sub-flow ends with."""

    choice: Choice
    target: str
    rule: Rule | None = None
    returned: str | None = None


async def decide(scene: Scene, step: Step, work: str, outcome: Outcome) -> Decision | None:
    """The decision; None in a retry of a run that nothing was decided for, and then the step is done again.

    Raises FlowAborted where no rule matches, StepFailed and ScenarioUsedUp of a judge.
    """
    repeated = 0
    while True:
        judge = RuleJudge(scene, step, work, outcome.content, repeated)
        choice = await match(scene, step, outcome, judge)
        if choice is not None:
            return _decision(scene, step, choice)
        reason = f'No matching rule found for step "{step.name}" (status: {outcome.status})'
        await abort(scene, AbortKind.RULE_NO_MATCH, reason, at=work, repeated=repeated)
        if not judge.was_asked:
            return None  # the same answer would match none again
        repeated += 1


async def match(scene: Scene, step: Step, outcome: Outcome, judge: RuleJudge) -> Choice | None:
    """The rule of a step, or of a sub-step, that matches what it gave."""
    answered = Answered(outcome.status, outcome.content, outcome.returned)
    return await choose(step, answered, outcome.subs, names_for_rules(scene, step), judge, scene.flow.rule_order)


def names_for_rules(scene: Scene, step: Step) -> dict[str, Any]:
    """What `when(...)` may refer to; plain JSON."""
    state = scene.state
    steps = {
        name: {"status": one.status, "content": one.content, "matched": one.matched, "output": one.output}
        for name, one in state.outputs.items()
    }
    context = {
        "task": scene.input.task, "iteration": state.iteration, "steps": steps, "answers": state.answers,
        "step_iteration": state.step_iterations.get(step.name, 0), "vars": scene.variables,
        "status": state.outputs[step.name].status if step.name in state.outputs else None,
    }  # fmt: skip
    return {"structured": state.structured, "context": context}


def _decision(scene: Scene, step: Step, choice: Choice) -> Decision:
    condition = choice.condition
    scene.state.matched.append(Matched(step.name, condition, choice.method))
    scene.state.keep(step.name, replace(scene.state.outputs[step.name], matched=condition))
    if choice.rule_index is None:
        return Decision(choice, _without_rule(scene, step, choice))
    rule = step.rules[choice.rule_index]
    return Decision(choice, rule.next or COMPLETE, rule, rule.return_)


def _without_rule(scene: Scene, step: Step, choice: Choice) -> str:
    if choice.method == "default" and step.default is not None:
        return step.default
    names = [one.name for one in scene.flow.steps]
    following = names.index(step.name) + 1
    return names[following] if following < len(names) else COMPLETE


def transition_of(scene: Scene, step: Step, target: str, decision: Decision) -> dict[str, Any]:
    """The data of a `flow:transition`; `instead_of` is what the rules had chosen before the judge of a cycle."""
    state = scene.state
    told = {
        "iteration": state.iteration, "step_iteration": state.step_iterations[step.name], "from": step.name,
        "to": target, **how(decision.choice),
    }  # fmt: skip
    told |= {} if target == decision.target else {"instead_of": decision.target}
    return told if decision.returned is None else told | {"returned": decision.returned}


def how(choice: Choice) -> dict[str, Any]:
    """How a rule was found to match, as events tell it; `rule` counts from 1."""
    judge = choice.judge
    return {
        "condition": choice.condition, "rule": None if choice.rule_index is None else choice.rule_index + 1,
        "method": choice.method, "judge": {"prompt": judge.prompt, "answer": judge.answer} if judge else None,
        "notes": list(choice.notes),
    }  # fmt: skip
