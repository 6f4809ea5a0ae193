"""Jobs that the run door starts: by a text, by an input of their own, in a conversation, and with questions."""

import asyncio
from datetime import timedelta
from typing import Any

from pydantic import BaseModel

from flows.llm.conversation import Conversation
from hitl.questions import Deny, ask
from runs.jobs import StepContext, job

SEND = {
    "type": "object", "properties": {"to": {"$ref": "#/$defs/Name"}}, "required": ["to"],
    "$defs": {"Name": {"type": "string", "maxLength": 5}},
}  # fmt: skip


class OneField(BaseModel):
    city: str
    days: int = 2


class TwoFields(BaseModel):
    city: str
    days: int


class Questions(BaseModel):
    kinds: list[str]
    to: list[str]
    quorum: int = 1
    deadline: float | None = None


@job("talk-hidden")
async def hidden(step: StepContext, text: str) -> str:
    return text


@job("talk-two-fields", agui=True)
async def two_fields(step: StepContext, given: TwoFields) -> str:
    return f"{given.city} {given.days}"


@job("talk-one-field", agui=True)
async def one_field(step: StepContext, given: OneField) -> str:
    return f"{given.city}, {given.days} days"


@job("talk-conversation", agui=True)
async def conversation(step: StepContext, given: Conversation) -> dict[str, Any]:
    return given.model_dump(mode="json")


@job("talk-questions", agui=True)
async def questions(step: StepContext, given: Questions) -> list[Any]:
    """Asks all of them at once."""
    options: dict[str, Any] = {"starter_may_answer": True, "to": given.to, "quorum": given.quorum}
    if given.deadline is not None:
        options |= {"deadline": timedelta(seconds=given.deadline), "on_timeout": Deny()}
    kinds: dict[str, dict[str, Any]] = {
        "approval": {},
        "tool_call": {"context": {"name": "send", "arguments": {"to": "ann"}}, "schema": SEND},
        "input": {"schema": {"type": "object", "properties": {"age": {"type": "integer"}}, "required": ["age"]}},
        "choice": {"choices": ["red", {"rgb": [0, 0, 1]}]},
    }
    asked = [ask(step, f"{kind}?", kind=kind, **options, **kinds[kind]) for kind in given.kinds]
    outcomes = await asyncio.gather(*asked)
    return [[one.decision, one.value, one.comment] for one in outcomes]
