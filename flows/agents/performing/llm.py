"""An agent that is a model: one chat, in the session that it is given."""

from typing import Any

from flows.agents.calls import AgentCall, Answer, Session
from flows.agents.performing.blocked import blocked_text
from flows.llm.chat import chat
from flows.llm.conversation import newest
from flows.llm.results import ChatResult
from providers.messages import Message

MAX_SESSION = 400_000
"""Characters of a conversation that are sent again: a loop would outgrow any model's context."""


async def ask(call: AgentCall) -> Answer:
    """What the model says. Raises StepFailed and what else `chat` raises."""
    result = await chat(call.scene.step, call.name, messages_of(call), system=call.system or None, **route_of(call))
    return answer_of(result)


def messages_of(call: AgentCall) -> list[Message]:
    """The conversation so far and the new instruction."""
    before = call.session.messages if call.session is not None else ()
    return newest([*before, Message(role="user", content=call.instruction)], MAX_SESSION)


def route_of(call: AgentCall) -> dict[str, Any]:
    """Whom a chat goes to: what the step says, else its persona."""
    return {
        "profile": call.step.profile or call.persona.profile,
        "model": call.step.model or call.persona.model,
    }


def answer_of(result: ChatResult) -> Answer:
    """Done, or blocked where the model says so."""
    session = Session(messages=tuple(one for one in result.messages if one.role != "system"))
    blocked = blocked_text(result.text)
    if blocked is not None:
        return Answer(status="blocked", content=blocked, session=session, usage=result.usage)
    return Answer(status="done", content=result.text, session=session, usage=result.usage)
