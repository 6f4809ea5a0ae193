"""Quality gates that are commands: what must succeed in the workspace before an agent's work is taken."""

import shlex
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from asgiref.sync import sync_to_async

from flows.agents import naming
from flows.agents.calls import AgentCall, Answer, Scene
from flows.agents.errors import GateFailed
from flows.agents.fences import fenced
from flows.agents.performing.texts import texts_in
from flows.agents.spec import Gate
from flows.agents.workspaces.opening import place_of
from flows.llm.tools.errors import ToolRefused
from flows.llm.tools.local.commands import run_program
from flows.llm.tools.local.folders import confined_to
from flows.llm.tools.results import shortened

TOLD_CHARS = 20_000
"""Of a command's output: its beginning and its end."""

Ask = Callable[[AgentCall], Awaitable[Answer]]


async def hold(call: AgentCall, answer: Answer, ask: Ask) -> Answer:
    """The answer once every gate holds. The agent is told of a failure and goes on in its session, at most
    `most_gate_rounds` times; the gate that fails after that is a failed step. Raises StepFailed."""
    commands = [(number, gate) for number, gate in enumerate(call.step.quality_gates, 1) if gate.command]
    for done in range(call.step.most_gate_rounds + 1):
        is_last = done == call.step.most_gate_rounds
        failures = [text for number, gate in commands if (text := await _failure(call, number, gate, done, is_last))]
        if not failures:
            return answer
        told = "\n\n".join([*failures, texts_in(call.language).gate_again])
        more = await ask(call.again(naming.again(call.name, done + 1), told, answer.session))
        answer = replace(more, reports=answer.reports | more.reports)
        if answer.status != "done":
            return answer
    return answer


async def _failure(call: AgentCall, number: int, gate: Gate, done: int, is_last: bool) -> str:
    """What the agent is told of a gate that does not hold; empty for one that does."""
    name = naming.part(call.name, f"gate {_label(number, gate)}#{done + 1}")
    ran = await call.scene.step.options(retries=1).run(name, _run, call.scene, gate, is_last)
    if ran["code"] == 0:
        return ""
    said = texts_in(call.language).gate.format(name=_label(number, gate), command=shlex.join(gate.command))
    output = fenced(f"{ran['output']}\n{ran['end']}")
    return f"{said}\n{output}"


async def _run(scene: Scene, gate: Gate, is_last: bool) -> dict[str, Any]:
    """Raises GateFailed after the last round, ToolRefused for a command that the settings do not allow."""
    if not scene.folder:
        raise ToolRefused("A quality gate runs a command, and this run has no workspace", "Give the flow a workspace.")
    place = await sync_to_async(place_of)(scene.step.run_id, scene.folder)
    with confined_to(scene.folder, place):
        ran = await run_program(gate.command, ".", gate.timeout_seconds)
    output = shortened(ran.output, TOLD_CHARS)
    if ran.code != 0 and is_last:
        raise GateFailed(shlex.join(gate.command), f"{ran.end} {output[-500:]}")
    return {"code": ran.code, "output": output, "end": ran.end}


def _label(number: int, gate: Gate) -> str:
    return f"{number} {gate.name}"[:40].strip()
