"""The tool calls of one turn of a chat: planned, approved, performed, and told to the model."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from flows.llm.tools import definition, naming
from flows.llm.tools.approval import Approval, Which, decide
from flows.llm.tools.calls import CurrentCall, as_step
from flows.llm.tools.definition import Tool
from flows.llm.tools.errors import ArgumentsUnfit, UnknownTool
from flows.llm.tools.told import failure_text
from providers.messages import Message, ToolCall
from runs.errors import StepFailed
from runs.jobs import StepContext

AT_ONCE = 10
AT_MOST = 100
"""Calls of one turn: what a model that runs wild asks for beyond them is refused."""

_log = logging.getLogger(__name__)


class Planned(BaseModel):
    """What becomes of one call: refused with a `problem`, or called, perhaps after people approved it."""

    problem: str = ""
    needs_approval: bool = False


async def perform(
    step: StepContext,
    name: str,
    turn: int,
    tool_calls: Sequence[ToolCall],
    tools: Sequence[Tool | Callable[..., Any]],
    approve: Approval | Which = "listed",
) -> list[Message]:
    """Perform the calls that a model asked for, at once; a message for each, in order.

    `<name>: calls#<turn>` records which of them are refused and which need approval; each call is a step
    `<name>: <tool>#<turn>.<number>`, asked about in `<name>: <tool>#<turn>.<number>: approval`. Whatever goes wrong
    with a call is a message with `is_error`, for the model to correct itself. Raises InvalidTool, QuestionExpired.
    """
    known, approval = definition.by_name(tools), Approval.of(approve)
    planned = await step.run(naming.plan_step(name, turn), _plan_all, list(tool_calls), known, approval)
    places = asyncio.Semaphore(AT_ONCE)
    calls = [
        _Call(step, naming.tool_step(name, turn, number, call.name), call, known.get(call.name), approval, places)
        for number, call in enumerate(tool_calls, start=1)
    ]
    # all of them end before the first failure is raised: a call under way is not thrown away for another's sake
    ended = await asyncio.gather(*(one.message(plan) for one, plan in zip(calls, planned, strict=True)),
                                 return_exceptions=True)  # fmt: skip
    failures = [one for one in ended if isinstance(one, BaseException)]
    if failures:
        raise next((one for one in failures if not isinstance(one, Exception)), failures[0])
    return [one for one in ended if isinstance(one, Message)]


def _plan_all(calls: list[ToolCall], known: dict[str, Tool], approval: Approval) -> list[Planned]:
    """A plain function, so in a thread: what decides about approval may take its time, or ask the database."""
    refused = Planned(problem=f"Not called: a turn may have {AT_MOST} calls. Call it again in the next one.")
    return [*(_plan(call, known, approval) for call in calls[:AT_MOST]), *(refused for _ in calls[AT_MOST:])]


def _plan(call: ToolCall, known: dict[str, Tool], approval: Approval) -> Planned:
    """Recorded, so that a replay asks and calls as before, also after a tool or its conditions were changed."""
    tool = known.get(call.name)
    if tool is None:
        return Planned(problem=str(UnknownTool(call.name, sorted(known))))
    try:
        arguments = tool.signature.parse(call.arguments)
    except ArgumentsUnfit as exc:
        return Planned(problem=str(exc))
    wanted = approval.calls == "all" or (approval.calls == "listed" and _needs_approval(tool, arguments))
    return Planned(needs_approval=wanted)


def _needs_approval(tool: Tool, arguments: dict[str, Any]) -> bool:
    wanted = tool.needs_approval
    if isinstance(wanted, bool):
        return wanted
    try:
        return bool(wanted(arguments))
    except Exception:
        _log.exception("needs_approval of tool %s failed, so people are asked", tool.name)
        return True


@dataclass(frozen=True, slots=True)
class _Call:
    """One call on its way to its message."""

    step: StepContext
    name: str
    call: ToolCall
    tool: Tool | None
    approval: Approval
    places: asyncio.Semaphore

    async def message(self, planned: Planned) -> Message:
        if planned.problem:
            return self._tell(planned.problem, is_error=True)
        arguments, edited_by = self.call.arguments, ""
        if planned.needs_approval:
            decision = await decide(self.step, naming.approval_step(self.name), self.tool, self.call, self.approval)
            if decision.arguments is None:
                return self._tell(decision.reason, is_error=True)
            arguments, edited_by = decision.arguments, decision.edited_by
        try:
            return self._tell(await self._result(arguments, edited_by))
        except StepFailed as exc:
            return self._tell(failure_text(self.call.name, exc.error), is_error=True)

    async def _result(self, arguments: dict[str, Any], edited_by: str) -> str:
        current = CurrentCall(self.step.run_id, self.name, self.call.name, self.call.id)
        if self.tool is None:  # it was there when the call was planned
            function: Callable[[], Any] = _gone(self.call.name)
            policy = self.step
        else:
            function = as_step(self.tool, arguments, current, edited_by)
            policy = self.step.options(retries=self.tool.retries, timeout=self.tool.timeout)
        async with self.places:
            return str(await policy.run(self.name, function))

    def _tell(self, text: str, is_error: bool = False) -> Message:
        return Message(
            role="tool", content=text, tool_call_id=self.call.id, tool_name=self.call.name, is_error=is_error
        )


def _gone(name: str) -> Callable[[], Any]:
    def call() -> str:
        raise UnknownTool(name, [])

    return call
