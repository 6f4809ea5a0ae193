"""An agent that is a model: one chat, in the session that it is given."""

from collections.abc import Sequence
from typing import Any, Final

from flows.agents.calls import AgentCall, Answer, Session
from flows.agents.performing import reports
from flows.agents.performing.blocked import blocked_text
from flows.agents.performing.tooling import approval_of, tools_of
from flows.llm.chat import chat
from flows.llm.conversation import newest
from flows.llm.results import ChatResult
from flows.llm.tools import Tool
from providers.messages import Message
from providers.scripted.entries import as_override

MAX_SESSION: Final = 400_000
"""Characters of a conversation that are sent again: a loop would outgrow any model's context."""

MAX_TURNS: Final = 50
"""Of one piece of work: budgets are what limits an agent, this ends one that runs wild without one."""


async def ask(call: AgentCall) -> Answer:
    """What the model says, after it called the tools that its step allows. Raises StepFailed, TooManyTurns."""
    tools = tools_of(call)
    if call.step.reports:
        tools = [reports.report_tool(call.step), *(one for one in tools if one.name != reports.TOOL)]
    result = await chat(
        call.scene.step, call.name, _messages(call, tools), system=call.system or None, tools=tools,
        approve=approval_of(tools), max_turns=MAX_TURNS, **_route(call),
    )  # fmt: skip
    return _answer(call, result)


async def ask_for_json(call: AgentCall) -> Answer:
    """A value of the step's output_schema, which the model is held to. Raises StepFailed."""
    result = await chat(
        call.scene.step, call.name, _messages(call, ()), system=call.system or None,
        output_type=call.step.output_schema, **_route(call),
    )  # fmt: skip
    session = _session(result)
    return Answer(status="done", content=result.text, structured=result.output, session=session, usage=result.usage)


def _route(call: AgentCall) -> dict[str, Any]:
    """Whom a chat goes to: what the step says, else its persona. A script answers in place of any profile."""
    if call.entry is not None:
        return {"profile": "default", "override": as_override(call.entry)}
    return {
        "profile": call.step.profile or call.persona.profile, "model": call.step.model or call.persona.model,
        "persona": call.step.persona or call.step.name,
    }  # fmt: skip


def _messages(call: AgentCall, tools: Sequence[Tool]) -> list[Message]:
    """The conversation so far and the new instruction."""
    before = call.session.messages if call.session is not None else ()
    asked = Message(role="user", content=call.instruction)
    return newest([*(before if tools else _without_tools(before)), asked], MAX_SESSION)


def _without_tools(messages: Sequence[Message]) -> list[Message]:
    """Vendors refuse a conversation with calls of tools where no tool is told of."""
    plain: dict[str, Any] = {"tool_calls": [], "signed_reasoning": []}
    said = [one.model_copy(update=plain) if one.tool_calls else one for one in messages if one.role != "tool"]
    return [one for one in said if one.content]


def _session(result: ChatResult) -> Session:
    return Session(messages=tuple(one for one in result.messages if one.role != "system"))


def _answer(call: AgentCall, result: ChatResult) -> Answer:
    """Done, or blocked where the model says so."""
    blocked = blocked_text(result.text)
    last = max(place for place, one in enumerate(result.messages) if one.role == "user")
    return Answer(
        status="done" if blocked is None else "blocked", content=result.text if blocked is None else blocked,
        session=_session(result), reports=reports.written(call.step, result.messages[last + 1 :]), usage=result.usage,
    )  # fmt: skip
