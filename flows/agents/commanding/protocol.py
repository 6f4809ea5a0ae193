"""What a program is told and what it says, whatever its own lines look like."""

import json
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from pydantic import BaseModel, ConfigDict

from flows.agents.commanding.errors import CommandMisspoke
from flows.agents.spec import Permission
from providers.replies import ReasoningDelta, TextDelta, ToolCallDelta, Usage

Level = Literal["reads", "edits", "runs"]
Delta = TextDelta | ReasoningDelta | ToolCallDelta


class _Recorded(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Wanted(_Recorded):
    """A tool's call that the program wants to make. `level` is how far it reaches."""

    kind: Literal["permission"] = "permission"
    id: str
    tool: str
    input: dict[str, Any] = {}
    level: Level = "runs"


class Question(_Recorded):
    """Something that the program asks people. With `choices` one of them is the answer."""

    kind: Literal["question"] = "question"
    id: str
    text: str
    choices: tuple[str, ...] = ()


Asked = Wanted | Question


@dataclass(frozen=True, slots=True)
class InSession:
    """The id by which the program can go on later."""

    id: str


@dataclass(frozen=True, slots=True)
class Spent:
    """What the call used up to now, in all."""

    usage: Usage
    model: str = ""
    cost: float | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """The program's last word. `error` says why there is no answer."""

    status: Literal["done", "blocked", "error"]
    content: str
    structured: Any = None
    error: str = ""


Said = Delta | Wanted | Question | InSession | Spent | Result


class Reply(_Recorded):
    """What became of something that the program asked: `decision` of a call, `text` for a question.

    `input` is what the call is made with where people changed it; `reason` says why one is denied.
    """

    asked: Wanted | Question
    decision: Literal["approve", "deny", "answer"]
    input: dict[str, Any] | None = None
    text: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What the program is started with. `again`: it was told the instruction in this session already, and goes on after
    the `replies`, or after it was cut off."""

    instruction: str
    system: str = ""
    session: str = ""
    permission: Permission = Permission.READONLY
    allowed_tools: tuple[str, ...] | None = None
    model: str | None = None
    again: bool = False
    replies: tuple[Reply, ...] = field(default=())


class Speech(Protocol):
    """One program's way of talking, for one call of it."""

    def argv(self, order: Order) -> list[str]:
        """Arguments after those of the settings."""
        ...

    def opening(self, order: Order) -> Iterable[dict[str, Any]]:
        """The first lines that it is told."""
        ...

    def read(self, line: dict[str, Any]) -> Iterator[Said]:
        """What a line of its says; nothing for one that is of no concern. Raises CommandMisspoke."""
        ...

    def reply(self, reply: Reply) -> dict[str, Any]:
        """The line that answers at once what it has just asked."""
        ...

    def put_off(self, asked: Asked) -> Iterable[dict[str, Any]]:
        """The lines that tell it to end now: people are asked."""
        ...


def parse(line: bytes) -> dict[str, Any] | None:
    """The object of a line; None for one that is no JSON object, such as a notice. Raises CommandMisspoke for a broken
    one: what it said would be lost."""
    if not line.lstrip().startswith(b"{"):
        return None
    try:
        found = json.loads(line, parse_constant=_no_number, parse_float=_finite)
    except (ValueError, RecursionError) as exc:
        raise CommandMisspoke(f"wrote a line that is no JSON ({type(exc).__name__})") from exc
    return found if isinstance(found, dict) else None


def bare_tool(rule: str) -> str:
    """`Bash` of the rule `Bash(git:*)`."""
    return rule.partition("(")[0].strip()


def _no_number(name: str) -> None:
    raise ValueError(name)


def _finite(text: str) -> float:
    found = float(text)
    if not math.isfinite(found):
        raise ValueError(text)
    return found
