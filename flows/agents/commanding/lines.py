"""The protocol `perdure`: JSON lines both ways, one object each, told apart by `type`."""

import json
from collections.abc import Iterable, Iterator
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from flows.agents.commanding.errors import CommandMisspoke
from flows.agents.commanding.protocol import (
    Asked,
    InSession,
    Level,
    Order,
    Question,
    Reply,
    Result,
    Said,
    Spent,
    Wanted,
)
from providers.replies import ReasoningDelta, TextDelta, ToolCallDelta, Usage

Count = Annotated[int, Field(ge=0, le=10**12)]
Id = Annotated[str, Field(min_length=1, max_length=500)]


class _Line(BaseModel):
    """What a later version of the protocol adds is no concern of ours."""

    model_config = ConfigDict(extra="ignore")


class TextLine(_Line):
    type: Literal["text", "reasoning"]
    text: str


class ToolCallLine(_Line):
    type: Literal["tool_call"]
    id: str = ""
    name: Annotated[str, Field(max_length=200)]
    arguments: str | dict[str, Any] = ""


class SessionLine(_Line):
    type: Literal["session"]
    id: Id


class PermissionLine(_Line):
    type: Literal["permission_request"]
    id: Id
    tool: Annotated[str, Field(min_length=1, max_length=100)]
    input: dict[str, Any] = {}
    level: Level = "runs"


class QuestionLine(_Line):
    type: Literal["question"]
    id: Id
    text: Annotated[str, Field(min_length=1, max_length=20_000)]
    choices: Annotated[list[Annotated[str, Field(min_length=1, max_length=500)]], Field(max_length=50)] = []


class UsageLine(_Line):
    input_tokens: Count = 0
    output_tokens: Count = 0
    cached_tokens: Count = 0
    reasoning_tokens: Count = 0
    cost: Annotated[float, Field(ge=0, le=1e9)] | None = None
    model: Annotated[str, Field(max_length=200)] = ""


class SpentLine(UsageLine):
    type: Literal["usage"]


class ResultLine(_Line):
    type: Literal["result"]
    status: Literal["done", "blocked", "error"] = "done"
    content: str = ""
    structured: Any = None
    usage: UsageLine | None = None
    error: str = ""


_Known = TextLine | ToolCallLine | SessionLine | PermissionLine | QuestionLine | SpentLine | ResultLine
_TYPES = {"text", "reasoning", "tool_call", "session", "permission_request", "question", "usage", "result"}
_ADAPTER: TypeAdapter[_Known] = TypeAdapter(Annotated[_Known, Field(discriminator="type")])


class Lines:
    """See docs/howto/command-agents.md for what each line holds."""

    def argv(self, order: Order) -> list[str]:
        return []

    def opening(self, order: Order) -> Iterable[dict[str, Any]]:
        yield {
            "type": "start",
            "instruction": order.instruction,
            "system": order.system,
            "session": order.session or None,
            "permission": order.permission.value,
            "allowed_tools": None if order.allowed_tools is None else list(order.allowed_tools),
            "model": order.model,
            "again": order.again,
        }
        for reply in order.replies:
            yield self.reply(reply)

    def read(self, line: dict[str, Any]) -> Iterator[Said]:
        if str(line.get("type")) not in _TYPES:
            return
        try:
            found = _ADAPTER.validate_python(line)
        except ValidationError as exc:
            first = exc.errors(include_url=False, include_input=False)[0]
            where = ".".join(map(str, first["loc"]))
            raise CommandMisspoke(f"wrote a line that does not fit ({where}: {first['msg']})") from exc
        yield from _said(found)

    def reply(self, reply: Reply) -> dict[str, Any]:
        line: dict[str, Any] = {"type": "answer", "id": reply.asked.id, "decision": reply.decision}
        if reply.decision == "answer":
            return line | {"text": reply.text}
        if reply.decision == "deny":
            return line | {"reason": reply.reason}
        return line if reply.input is None else line | {"input": reply.input}

    def put_off(self, asked: Asked) -> Iterable[dict[str, Any]]:
        yield {"type": "wait", "id": asked.id}


def _said(line: _Known) -> Iterator[Said]:
    if isinstance(line, TextLine):
        yield TextDelta(text=line.text) if line.type == "text" else ReasoningDelta(text=line.text)
    elif isinstance(line, ToolCallLine):
        arguments = line.arguments if isinstance(line.arguments, str) else json.dumps(line.arguments)
        yield ToolCallDelta(index=0, id=line.id, name=line.name, arguments=arguments)
    elif isinstance(line, SessionLine):
        yield InSession(line.id)
    elif isinstance(line, PermissionLine):
        yield Wanted(id=line.id, tool=line.tool, input=line.input, level=line.level)
    elif isinstance(line, QuestionLine):
        yield Question(id=line.id, text=line.text, choices=tuple(dict.fromkeys(line.choices)))
    elif isinstance(line, SpentLine):
        yield _spent(line)
    else:
        if line.usage is not None:
            yield _spent(line.usage)
        yield Result(line.status, line.content, line.structured, line.error)


def _spent(line: UsageLine) -> Spent:
    counted = Usage(
        input_tokens=line.input_tokens, output_tokens=line.output_tokens, cached_tokens=line.cached_tokens,
        reasoning_tokens=line.reasoning_tokens,
    )  # fmt: skip
    return Spent(counted, line.model, line.cost)
