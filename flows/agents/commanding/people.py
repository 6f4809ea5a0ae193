"""What a program asks in the middle of its work, as questions to people."""

from typing import Any

from flows.agents.commanding.protocol import Asked, Question, Reply, Wanted
from flows.llm.tools.approval import Approval, decide
from hitl.errors import QuestionWithdrawn
from hitl.questions import ask
from providers.messages import ToolCall
from runs.jobs import StepContext

_TITLE = 150
_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"answer": {"type": "string", "title": "Answer", "minLength": 1, "maxLength": 20_000}},
    "required": ["answer"],
    "additionalProperties": False,
}


async def ask_people(step: StepContext, name: str, asked: Asked) -> Reply:
    """A call is approved, changed or denied; a question answered. Nobody needs to: a question that is withdrawn denies,
    or says so."""
    if isinstance(asked, Wanted):
        return await _approval(step, name, asked)
    return await _answer(step, name, asked)


async def _approval(step: StepContext, name: str, asked: Wanted) -> Reply:
    call = ToolCall(id=asked.id, name=asked.tool, arguments=asked.input)
    decision = await decide(step, name, None, call, Approval(calls="all", starter_may_answer=True))
    if decision.arguments is None:
        return Reply(asked=asked, decision="deny", reason=decision.reason)
    return Reply(asked=asked, decision="approve", input=decision.arguments if decision.edited_by else None)


async def _answer(step: StepContext, name: str, asked: Question) -> Reply:
    title = " ".join(asked.text.split()) or "What now?"
    shown: dict[str, Any] = {"name": name, "body": asked.text, "starter_may_answer": True}
    shown |= {"kind": "choice", "choices": asked.choices} if asked.choices else {"kind": "input", "schema": _SCHEMA}
    try:
        outcome = await ask(step, title if len(title) <= _TITLE else title[: _TITLE - 1] + "…", **shown)
    except QuestionWithdrawn as exc:
        return Reply(asked=asked, decision="answer", text=f"Nobody answered: {exc.reason or 'it was withdrawn'}.")
    text = outcome.value["answer"] if isinstance(outcome.value, dict) else str(outcome.value)
    return Reply(asked=asked, decision="answer", text=text)
