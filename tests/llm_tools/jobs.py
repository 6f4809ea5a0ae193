"""Tools that count their calls, and a job that performs the calls of one turn as a chat does."""

import asyncio
import functools
import threading
from collections import Counter
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from pydantic import BaseModel, field_validator

from flows.llm import turns
from flows.llm.tools import Approval, ToolRefused, current_call, tool
from flows.llm.tools.toolbox import Toolbox
from hitl.endings import Approve, Fail, Value
from providers.messages import ToolCall
from runs.jobs import StepContext, SyncStepContext, current_attempt, job

called: Counter[str] = Counter()
"""How often each tool was entered, by name."""


class Address(BaseModel):
    street: str
    number: int

    @field_validator("street")
    @classmethod
    def _is_a_street(cls, value: str) -> str:
        if value == "nowhere":
            raise ValueError("there is no such street")
        return value


@tool(needs_approval=True)
async def send_mail(to: str, text: str = "") -> str:
    """Send a mail."""
    called["send_mail"] += 1
    return f"sent to {to}: {text}"


@tool
def look_up(word: str) -> dict[str, str]:
    """Look a word up."""
    called["look_up"] += 1
    return {"word": word, "thread": "job's" if threading.current_thread() is threading.main_thread() else "own"}


def _is_far(arguments: Mapping[str, Any]) -> bool:
    if arguments["address"].number == 13:
        raise RuntimeError("unlucky")
    return bool(arguments["address"].number > 100)


@tool(needs_approval=_is_far)
async def deliver(address: Address) -> Address:
    """Deliver to an address."""
    called["deliver"] += 1
    return address


@tool(retries=3)
async def shaky(until: int) -> str:
    """Fail until an attempt."""
    called["shaky"] += 1
    if current_attempt().number < until:
        raise ConnectionError(f"attempt {current_attempt().number} was cut")
    return f"at attempt {current_attempt().number} as {current_call().key.partition('/')[2]}"


@tool(timeout=timedelta(milliseconds=50))
async def sleepy() -> str:
    """Take longer than allowed."""
    await asyncio.sleep(60)
    return "awake"


@tool(retries=3)
async def forbidden() -> str:
    """Never allow it."""
    called["forbidden"] += 1
    raise ToolRefused("That is not allowed", "Ask for something else.")


@tool
def odd() -> object:
    """Return what is no JSON."""
    return object()


@tool
def huge(size: int) -> str:
    """Return a long text."""
    return "a" + "b" * (size - 2) + "z"


@tool
def raw() -> str:
    """Return what no database takes as text."""
    return "nul \x00 and half a pair \ud800"


async def _read(word: str) -> str:
    """Read a word."""
    return f"{word} of {current_call().step}"


@functools.wraps(_read)
def _logged(*args: Any, **kwargs: Any) -> Any:
    return _read(*args, **kwargs)


wrapped = tool(name="wrapped")(_logged)


@tool(name="mailer___send", needs_approval=True)
async def mailer_send(to: str) -> str:
    """Send a mail by a runner's method."""
    return f"sent to {to}"


ALL = (send_mail, look_up, deliver, shaky, sleepy, forbidden, odd, huge, raw, wrapped, mailer_send)


class Turn(BaseModel):
    calls: list[ToolCall]
    approve: str = "listed"
    deadline_days: float = 0
    quorum: int = 1
    ending: str = ""
    tools: list[str] = [one.name for one in ALL]

    def approval(self) -> Approval:
        endings: dict[str, Any] = {"fail": Fail(), "approve": Approve(), "value": Value({"to": "the default"})}
        return Approval(
            calls=self.approve,  # type: ignore[arg-type]
            quorum=self.quorum,
            deadline=timedelta(days=self.deadline_days) if self.deadline_days else None,
            on_timeout=endings.get(self.ending),
        )

    def given(self) -> list[Any]:
        return [one for one in ALL if one.name in self.tools]


@job("perform-calls")
async def perform_calls(step: StepContext, turn: Turn) -> list[dict[str, Any]]:
    """Perform them as turn 1 of a chat named draft."""
    performed = await turns.perform(step, "draft", 1, turn.calls, Toolbox.of(turn.given(), (), turn.approval()))
    return [message.model_dump(include={"content", "is_error", "tool_call_id"}) for message in performed.messages]


@job("perform-calls-in-a-thread")
def perform_calls_in_a_thread(step: SyncStepContext, turn: Turn) -> list[str]:
    """A plain function's tools are called in its own thread, one after another."""
    toolbox = Toolbox.of(turn.given(), (), turn.approval())
    performed = step.run_async(turns.perform, "draft", 1, turn.calls, toolbox)
    return [message.text for message in performed.messages]
