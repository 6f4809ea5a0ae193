"""A step's work by its units: its own one, or those of its sub-steps at once, joined as the contract has it."""

import asyncio
from dataclasses import replace

from flows.agents import naming
from flows.agents.execution.agent import AgentUnit
from flows.agents.execution.deciding import how, match
from flows.agents.execution.judges import RuleJudge
from flows.agents.execution.outcome import Outcome
from flows.agents.execution.person import PersonUnit
from flows.agents.execution.python import PythonUnit
from flows.agents.execution.scene import Scene
from flows.agents.execution.subflow import FlowUnit
from flows.agents.execution.units import Performed, Unit
from flows.agents.rules.choosing import Choice, SubMatch
from flows.agents.spec import Step
from runs.errors import RunsError
from runs.events.types import EventType

BETWEEN = "\n\n---\n\n"


def unit_of(scene: Scene, step: Step, work: str, parent: Step | None = None) -> Unit:
    """By the kind of a step that is not parallel."""
    match step.kind:
        case "python":
            return PythonUnit(scene, step, work)
        case "flow":
            return FlowUnit(scene, step, work)
        case "person" if step.ask is not None:
            return PersonUnit(scene, step, work, step.ask)
    return AgentUnit(scene, step, work, parent)


async def perform_all(units: list[Unit], concurrency: int) -> list[Performed]:
    """At most so many at once, in the order given. All end before the first failure that is no outcome is raised."""
    places = asyncio.Semaphore(concurrency)

    async def one(unit: Unit) -> Performed:
        async with places:
            return await unit.perform()

    ended = await asyncio.gather(*(one(unit) for unit in units), return_exceptions=True)
    failures = [one for one in ended if isinstance(one, BaseException)]
    if failures:
        first = next((one for one in failures if not isinstance(one, Exception)), failures[0])
        if isinstance(first, RunsError):
            first.failed_steps = tuple(step for one in failures for step in getattr(one, "failed_steps", ()))
        raise first
    return [one for one in ended if isinstance(one, Performed)]


async def settle_subs(scene: Scene, step: Step, work: str, outcomes: list[Outcome]) -> Outcome:
    """The sub-steps' outcomes as the step's own, with what each of them matched."""
    for sub, outcome in zip(step.parallel, outcomes, strict=True):
        scene.state.keep(sub.name, outcome.as_output)
    matches = await _match_all(scene, step, outcomes)
    for sub, outcome, choice in zip(step.parallel, outcomes, matches, strict=True):
        scene.state.keep(sub.name, replace(outcome.as_output, matched=choice.condition if choice else None))
        if choice is not None and choice.condition is not None:
            state = scene.state
            data = {
                "iteration": state.iteration, "step_iteration": state.step_iterations[sub.name], "from": step.name,
                "sub": sub.name, "to": None, **how(choice),
            }  # fmt: skip
            scene.step.note(EventType.FLOW_TRANSITION, data, step=naming.work(state.iteration, step.name, sub.name))
    return _together(step, outcomes, matches)


async def _match_all(scene: Scene, step: Step, outcomes: list[Outcome]) -> list[Choice | None]:
    """At once, but for a script, whose entries judges take in the order of the sub-steps."""

    async def one(sub: Step, outcome: Outcome) -> Choice | None:
        if outcome.status != "done":
            return None
        work = naming.work(scene.state.iteration, step.name, sub.name)
        return await match(scene, sub, outcome, RuleJudge(scene, sub, work, outcome.content))

    pairs = list(zip(step.parallel, outcomes, strict=True))
    if scene.script is not None:
        return [await one(*pair) for pair in pairs]
    ended = await asyncio.gather(*(one(*pair) for pair in pairs), return_exceptions=True)
    failures = [one for one in ended if isinstance(one, BaseException)]
    if failures:
        raise next((one for one in failures if not isinstance(one, Exception)), failures[0])
    return [one for one in ended if not isinstance(one, BaseException)]


def _together(step: Step, outcomes: list[Outcome], matches: list[Choice | None]) -> Outcome:
    pairs = list(zip(step.parallel, outcomes, strict=True))
    subs = [
        SubMatch(sub.name, outcome.status, choice.condition if choice else None)
        for (sub, outcome), choice in zip(pairs, matches, strict=True)
    ]
    blocked = next((outcome for outcome in outcomes if outcome.status == "blocked"), None)
    if blocked is not None:
        return Outcome(status="blocked", content=blocked.content, subs=subs)
    if all(outcome.status == "error" for outcome in outcomes):
        told = "; ".join(f"{sub.name}: {outcome.error}" for sub, outcome in pairs)
        return Outcome(status="error", error=told, subs=subs)
    parts = [f"## {sub.name}\n{outcome.content or outcome.error}" for sub, outcome in pairs]
    return Outcome(content=BETWEEN.join(parts), subs=subs)
