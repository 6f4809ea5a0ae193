"""An agent that is a model: one chat, in the session that it is given."""

from collections.abc import Sequence
from dataclasses import dataclass
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
    talk = _Talk.of(call)
    result = await chat(
        call.scene.step, call.name, talk.sent(tools), system=call.system or None, tools=tools,
        approve=approval_of(tools), max_turns=MAX_TURNS, **_route(call),
    )  # fmt: skip
    blocked = blocked_text(result.text)
    return Answer(
        status="done" if blocked is None else "blocked", content=result.text if blocked is None else blocked,
        session=talk.session(result), reports=reports.written(call.step, said(result)), usage=result.usage,
    )  # fmt: skip


async def ask_for_json(call: AgentCall) -> Answer:
    """A value of the step's output_schema, which the model is held to. Raises StepFailed."""
    talk = _Talk.of(call)
    result = await chat(
        call.scene.step, call.name, talk.sent(), system=call.system or None, output_type=call.step.output_schema,
        **_route(call),
    )  # fmt: skip
    session = talk.session(result)
    return Answer(status="done", content=result.text, structured=result.output, session=session, usage=result.usage)


def said(result: ChatResult) -> list[Message]:
    """What came after the last thing that the model was told by its user."""
    last = max(place for place, one in enumerate(result.messages) if one.role == "user")
    return result.messages[last + 1 :]


@dataclass(frozen=True, slots=True)
class _Talk:
    """The conversation so far, its oldest part left out where it is too long, and the new instruction."""

    messages: tuple[Message, ...]

    @classmethod
    def of(cls, call: AgentCall) -> "_Talk":
        before = call.session.messages if call.session is not None else ()
        return cls(tuple(newest([*before, Message(role="user", content=call.instruction)], MAX_SESSION)))

    def sent(self, tools: Sequence[Tool] = ()) -> list[Message]:
        """Without the calls of tools where no tool is told of: vendors refuse that."""
        if tools:
            return list(self.messages)
        plain: dict[str, Any] = {"tool_calls": [], "signed_reasoning": []}
        bare = (one.model_copy(update=plain) if one.tool_calls else one for one in self.messages if one.role != "tool")
        return [one for one in bare if one.content]

    def session(self, result: ChatResult) -> Session:
        """With what came of it. The messages before are the same ones, so that others can tell what is new."""
        return Session(messages=(*self.messages, *said(result)))


def _route(call: AgentCall) -> dict[str, Any]:
    """Whom a chat goes to: what the step says, else its persona. A script answers in place of any profile."""
    if call.entry is not None:
        return {"profile": "default", "override": as_override(call.entry)}
    profile = call.step.profile or call.persona.profile
    own = call.persona.model if profile == call.persona.profile else None  # another vendor does not have that model
    return {"profile": profile, "model": call.step.model or own, "persona": call.step.persona or call.step.name}
