"""One call of a tool as a step function, and what the tool can know of it."""

import contextvars
import inspect
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flows.llm.tools.definition import Tool
from flows.llm.tools.results import recorded, shortened

NOTE_CHARS = 2_000


@dataclass(frozen=True, slots=True)
class CurrentCall:
    """The call that the running tool is. `id` is the model's own; `step` is unique in the run."""

    run_id: UUID
    step: str
    tool: str
    id: str

    @property
    def key(self) -> str:
        """The same in every attempt and after every crash: for services that take an idempotency key."""
        return f"{self.run_id}/{self.step}"


_current: contextvars.ContextVar[CurrentCall | None] = contextvars.ContextVar("llm_tool_call", default=None)


def current_call() -> CurrentCall:
    """The call that the running tool is. Raises LookupError outside of one."""
    call = _current.get()
    if call is None:
        raise LookupError("current_call() works inside a tool that a model called. Call it there.")
    return call


@contextmanager
def entered(call: CurrentCall) -> Iterator[None]:
    """Inside, `current_call()` is this call."""
    token = _current.set(call)
    try:
        yield
    finally:
        _current.reset(token)


def as_step(tool: Tool, arguments: dict[str, Any], call: CurrentCall, edited_by: str = "") -> Callable[[], Any]:
    """What the step calls: it gives the value as `recorded` has it, or fails with ArgumentsUnfit, ResultUnfit or as the
    tool does."""
    note = _note(arguments, edited_by)

    async def in_loop() -> Any:
        with entered(call):
            value = tool.function(**tool.signature.parse(arguments))
            return recorded(tool.name, await value if inspect.isawaitable(value) else value, note)

    def in_thread() -> Any:
        with entered(call):
            return recorded(tool.name, tool.function(**tool.signature.parse(arguments)), note)

    return in_loop if tool.is_async else in_thread


def _note(arguments: dict[str, Any], edited_by: str) -> str:
    """The model asked for something else: it is told, or it would read the result as that of its own arguments."""
    if not edited_by:
        return ""
    shown = shortened(json.dumps(arguments, ensure_ascii=False), NOTE_CHARS)
    return f"[{edited_by} changed the arguments to {shown}]\n"
