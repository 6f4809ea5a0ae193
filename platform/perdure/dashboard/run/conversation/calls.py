"""The tool calls that a turn asked for, and what came of each. Pure: it gets rows, and asks no database."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from uuid import UUID

from flows.llm.tools import naming
from flows.llm.tools.told import denial_text, failure_text, result_text
from perdure.dashboard.run.conversation.entries import Call, CallState
from runs.jobs import redact
from runs.models import Step, StepStatus

MOST_CALLS = 100
"""Of one turn: no chat performs more."""
_UNDER_WAY = (StepStatus.RUNNING, StepStatus.RETRYING)


class StepsBeside:
    """The steps of the calls of some turns: plans, approvals, the calls themselves."""

    def __init__(self, steps: Iterable[Step] = ()) -> None:
        self._steps = {step.name: step for step in steps}
        self._outcomes: dict[str, dict[str, Any]] = {}
        for step in self._steps.values():
            decided = naming.decided_step(step.name)
            if decided is not None and isinstance(step.output, dict):
                self._outcomes[decided] = redact(step.output, step.secrets)

    def plan(self, chat: str, turn: int) -> list[Any]:
        """What was planned for each call of a turn; empty as long as nothing is."""
        step = self._steps.get(naming.plan_step(chat, turn))
        return step.output if step is not None and isinstance(step.output, list) else []

    def call(self, name: str) -> Step | None:
        return self._steps.get(name)

    def is_asked(self, name: str) -> bool:
        """Whether people are asked about this call, and have not decided."""
        return naming.approval_step(name) in self._steps and name not in self._outcomes

    def question(self, name: str) -> UUID | None:
        """The id of the question about this call; None where nobody was asked."""
        step = self._steps.get(naming.approval_step(name))
        opened = step.output if step is not None and isinstance(step.output, dict) else {}
        try:
            return UUID(str(opened.get("id")))
        except ValueError:
            return None

    def outcome(self, name: str) -> dict[str, Any]:
        """What people decided about a call; empty without a decision."""
        return self._outcomes.get(name, {})


def calls_in(output: Any) -> list[Mapping[str, Any]]:
    """The calls that a recorded reply asks for, as `{"id", "name", "arguments"}`."""
    message = output.get("message") if isinstance(output, dict) and output.get("kind") == "reply" else None
    calls = message.get("tool_calls") if isinstance(message, dict) else None
    return [call for call in calls if isinstance(call, dict)] if isinstance(calls, list) else []


def read_calls(model_step: str, output: Any, beside: StepsBeside) -> Iterator[Call]:
    """Each call of a turn with what came of it. A step that is not there yet leaves its call planned."""
    chat, turn = naming.chat_and_turn(model_step)
    plan = beside.plan(chat, turn)
    for number, call in enumerate(calls_in(output)[:MOST_CALLS], start=1):
        tool, arguments = str(call.get("name")), call.get("arguments") or {}
        name = naming.tool_step(chat, turn, number, tool)
        planned = plan[number - 1] if number <= len(plan) and isinstance(plan[number - 1], dict) else {}
        state, result = _planned(planned) or _performed(tool, beside.call(name)) or _decided(name, arguments, beside)
        approved = _approved(beside.outcome(name), arguments)
        yield Call(
            number, naming.shown_tool_name(tool), arguments, name, state, result, approved, beside.question(name)
        )


def _planned(plan: Mapping[str, Any]) -> tuple[CallState, str] | None:
    """None for a call that is made, perhaps once people approve it."""
    if plan.get("problem"):
        return "refused", str(plan["problem"])
    return ("client", "") if plan.get("by_client") else None


def _performed(tool: str, step: Step | None) -> tuple[CallState, str] | None:
    if step is None:
        return None
    if step.status == StepStatus.COMPLETED:
        return "completed", _text(redact(step.output, step.secrets))
    if step.status == StepStatus.FAILED:
        return "failed", failure_text(tool, step.error or {})
    return ("running" if step.status in _UNDER_WAY else "cancelled"), ""


def _decided(name: str, arguments: Any, beside: StepsBeside) -> tuple[CallState, str]:
    if denial := denial_text(beside.outcome(name), arguments):
        return "denied", denial
    return ("asked" if beside.is_asked(name) else "planned"), ""


def _text(output: Any) -> str:
    return "" if output is None else result_text(output) if not isinstance(output, dict) or "text" in output else ""


def _approved(outcome: Mapping[str, Any], arguments: Any) -> Any:
    value = outcome.get("value") if outcome.get("decision") == "approve" else None
    return value if value not in (None, arguments) else None
