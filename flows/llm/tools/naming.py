"""How the steps of a chat are named: its model calls, the plan of a turn's tool calls, each call and its approval.

Pure: whoever reads a run's log finds by these what belongs together.
"""

import re
from typing import Final

_MODEL: Final = re.compile(r"(?P<chat>.+) #(?P<turn>[1-9]\d*)", re.DOTALL)
_PLAN: Final = re.compile(r"(?P<chat>.+): calls#(?P<turn>[1-9]\d*)", re.DOTALL)
_TOOL: Final = re.compile(
    r"(?P<chat>.+): (?P<tool>.*)#(?P<turn>[1-9]\d*)\.(?P<number>[1-9]\d*)(?P<part>: approval(: .+)?)?", re.DOTALL
)
_OUTCOME: Final = re.compile(r"(?P<step>.+): approval: outcome( \d+)?", re.DOTALL)


def shown_tool_name(name: str) -> str:
    """A tool's name as people read it: of a runner's method, `RUNNER___method`, `RUNNER/method`."""
    return name.replace("___", "/", 1)


def model_step(chat: str, turn: int) -> str:
    """The model call of a turn, from 1."""
    return chat if turn == 1 else f"{chat} #{turn}"


def chat_and_turn(model_step: str) -> tuple[str, int]:
    """The chat and the turn that a model call is. A chat that is itself named `<name> #<n>` reads as that turn."""
    found = _MODEL.fullmatch(model_step)
    return (found["chat"], int(found["turn"])) if found else (model_step, 1)


def plan_step(chat: str, turn: int) -> str:
    """What records which calls of a turn are refused, approved first, or the client's."""
    return f"{chat}: calls#{turn}"


def chat_and_turn_of_plan(step: str) -> tuple[str, int] | None:
    """None for a step that is no plan."""
    found = _PLAN.fullmatch(step)
    return (found["chat"], int(found["turn"])) if found else None


def tool_step(chat: str, turn: int, number: int, tool: str) -> str:
    """The call `number` of a turn; both from 1, `number` in the order of the model's calls, the client's included."""
    return f"{chat}: {tool}#{turn}.{number}"


def chat_turn_and_number(tool_step: str) -> tuple[str, int, int] | None:
    """Of a call, or of a step of its approval; None for other steps. A tool's name may hold anything."""
    found = _TOOL.fullmatch(tool_step)
    return (found["chat"], int(found["turn"]), int(found["number"])) if found else None


def tool_of(tool_step: str) -> str | None:
    """The tool that the call of this step is of; None for other steps, those of an approval among them."""
    found = _TOOL.fullmatch(tool_step)
    return found["tool"] if found and not found["part"] else None


def approval_step(tool_step: str) -> str:
    """Who asks about a call; `<it>: answer` waits, `<it>: outcome` and `<it>: outcome <n>` say what was decided."""
    return f"{tool_step}: approval"


def decided_step(outcome_step: str) -> str | None:
    """The call that this outcome of an approval decides; None for other steps."""
    found = _OUTCOME.fullmatch(outcome_step)
    return found["step"] if found else None
