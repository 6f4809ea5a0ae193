"""The tool calls of one turn of a chat: planned, approved, performed, and told to the model."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from flows.llm.tools import naming
from flows.llm.tools.approval import decide
from flows.llm.tools.calls import CurrentCall, as_step
from flows.llm.tools.definition import Tool
from flows.llm.tools.errors import ArgumentsUnfit, UnknownTool
from flows.llm.tools.results import merged
from flows.llm.tools.told import failure_text, result_text
from flows.llm.tools.toolbox import Toolbox
from providers.messages import Message, ToolCall
from runs.errors import StepFailed
from runs.jobs import StepContext

AT_ONCE = 10
AT_MOST = 100
"""Calls of one turn: what a model that runs wild asks for beyond them is refused."""

_log = logging.getLogger(__name__)


class Planned(BaseModel):
    """What becomes of one call: refused with a `problem`, left to the client, or called, perhaps once people approved
    it."""

    problem: str = ""
    needs_approval: bool = False
    by_client: bool = False


@dataclass(frozen=True, slots=True)
class Performed:
    """A message for each call that is no client's, and the client's, both in order."""

    messages: list[Message]
    pending: list[ToolCall]


async def perform(
    step: StepContext, name: str, turn: int, tool_calls: Sequence[ToolCall], toolbox: Toolbox
) -> Performed:
    """Perform the calls that a model asked for, at once, and apply what they change of the run's state.

    `<name>: calls#<turn>` records which of them are refused, which need approval and which are the client's; each of
    the others is a step `<name>: <tool>#<turn>.<number>`, asked about in `<name>: <tool>#<turn>.<number>: approval`.
    Whatever goes wrong with a call is a message with `is_error`, for the model to correct itself. Raises
    QuestionExpired, InvalidState, StorageError.
    """
    planned = await step.run(naming.plan_step(name, turn), _plan_all, list(tool_calls), toolbox)
    places = asyncio.Semaphore(AT_ONCE)
    calls = [
        _Call(step, naming.tool_step(name, turn, number, call.name), call, plan, toolbox, places)
        for number, (call, plan) in enumerate(zip(tool_calls, planned, strict=True), start=1)
    ]
    messages = await _all_of([one for one in calls if not one.plan.by_client], step)
    return Performed(messages, [one.call for one in calls if one.plan.by_client])


async def _all_of(calls: list["_Call"], step: StepContext) -> list[Message]:
    """All of them end before the first failure is raised: a call under way is not thrown away for another's sake.

    States are changed in one order, or a replay would come to another document than readers were shown: that of the
    calls, but those that nobody is asked about first, so that readers see what they did while the others wait.
    """
    tasks = [asyncio.ensure_future(one.outcome()) for one in calls]
    try:
        for number in sorted(range(len(calls)), key=lambda number: calls[number].plan.needs_approval):
            await asyncio.wait([tasks[number]])
            _change_state(step, tasks[number])
    finally:
        for task in tasks:
            task.cancel()  # no-op for all that ended: only a cancelled chat leaves others
        ended = await asyncio.gather(*tasks, return_exceptions=True)
    failures = [one for one in ended if isinstance(one, BaseException)]
    if failures:
        raise next((one for one in failures if not isinstance(one, Exception)), failures[0])
    return [one.message for one in ended if isinstance(one, _Outcome)]


def _change_state(step: StepContext, task: "asyncio.Future[_Outcome]") -> None:
    if task.cancelled() or task.exception() is not None:
        return
    change = task.result().state
    if change is not None:
        step.state.set(merged(step.state.value, change))


def _plan_all(calls: list[ToolCall], toolbox: Toolbox) -> list[Planned]:
    """A plain function, so in a thread: what decides about approval may take its time, or ask the database."""
    refused = Planned(problem=f"Not called: a turn may have {AT_MOST} calls. Call it again in the next one.")
    return [*(_plan(call, toolbox) for call in calls[:AT_MOST]), *(refused for _ in calls[AT_MOST:])]


def _plan(call: ToolCall, toolbox: Toolbox) -> Planned:
    """Recorded, so that a replay asks and calls as before, also after a tool or its conditions were changed."""
    if call.name in toolbox.clients:
        return Planned(by_client=True)
    tool = toolbox.own.get(call.name)
    if tool is None:
        return Planned(problem=str(UnknownTool(call.name, toolbox.names)))
    try:
        arguments = tool.signature.parse(call.arguments)
    except ArgumentsUnfit as exc:
        return Planned(problem=str(exc))
    which = toolbox.approval.calls
    return Planned(needs_approval=which == "all" or (which == "listed" and _needs_approval(tool, arguments)))


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
class _Outcome:
    """`state` is the change of the run's state that the call asks for."""

    message: Message
    state: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class _Call:
    """One call on its way to its message."""

    step: StepContext
    name: str
    call: ToolCall
    plan: Planned
    toolbox: Toolbox
    places: asyncio.Semaphore

    @property
    def tool(self) -> Tool | None:
        return self.toolbox.own.get(self.call.name)

    async def outcome(self) -> _Outcome:
        if self.plan.problem:
            return self._tell(self.plan.problem, is_error=True)
        arguments, edited_by = self.call.arguments, ""
        if self.plan.needs_approval:
            name = naming.approval_step(self.name)
            decision = await decide(self.step, name, self.tool, self.call, self.toolbox.approval)
            if decision.arguments is None:
                return self._tell(decision.reason, is_error=True)
            arguments, edited_by = decision.arguments, decision.edited_by
        try:
            output = await self._output(arguments, edited_by)
        except StepFailed as exc:
            return self._tell(failure_text(self.call.name, exc.error), is_error=True)
        return self._tell(result_text(output), state=output["state"] if isinstance(output, dict) else None)

    async def _output(self, arguments: dict[str, Any], edited_by: str) -> Any:
        current = CurrentCall(self.step.run_id, self.name, self.call.name, self.call.id)
        tool = self.tool
        if tool is None:  # it was there when the call was planned
            function: Callable[[], Any] = _gone(self.call.name)
            policy = self.step
        else:
            function = as_step(tool, arguments, current, edited_by)
            policy = self.step.options(retries=tool.retries, timeout=tool.timeout)
        async with self.places:
            return await policy.run(self.name, function)

    def _tell(self, text: str, *, is_error: bool = False, state: dict[str, Any] | None = None) -> _Outcome:
        message = Message(
            role="tool", content=text, tool_call_id=self.call.id, tool_name=self.call.name, is_error=is_error
        )
        return _Outcome(message, state)


def _gone(name: str) -> Callable[[], Any]:
    def call() -> str:
        raise UnknownTool(name, [])

    return call
