"""`@tool`: a function that a model may call, as data."""

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import Any, overload

from flows.llm.tools.errors import InvalidTool
from flows.llm.tools.signature import Signature, read_docstring
from providers.requests import ToolSpec
from runs.jobs import Retry

NeedsApproval = bool | Callable[[Mapping[str, Any]], bool]
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")  # what all vendors take


@dataclass(frozen=True, kw_only=True)
class Tool:
    """A function under the name and with the description by which a model knows it."""

    name: str
    description: str
    function: Callable[..., Any]
    needs_approval: NeedsApproval = False
    retries: Retry | int | None = None
    timeout: timedelta | None = None

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            remedy = "Use up to 64 letters, digits, _ and - (`name=` gives another than the function's)."
            raise InvalidTool(self.name, "has a name that no vendor takes", remedy)
        if inspect.iscoroutinefunction(self.needs_approval):
            raise InvalidTool(self.name, "has an async needs_approval", "Make it a plain def; it runs in a thread.")
        _ = self.signature

    @cached_property
    def signature(self) -> Signature:
        return Signature(self.name, self.function)

    @property
    def parameters(self) -> dict[str, Any]:
        """JSON Schema of its arguments."""
        return self.signature.schema

    @property
    def spec(self) -> ToolSpec:
        """As a vendor is told of it."""
        return ToolSpec(name=self.name, description=self.description, parameters=self.parameters)

    @cached_property
    def is_async(self) -> bool:
        return any(map(inspect.iscoroutinefunction, (self.function, inspect.unwrap(self.function))))

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """The function itself, as other code and tests may call it; nothing is recorded."""
        return self.function(*args, **kwargs)

    @staticmethod
    def of(one: "Tool | Callable[..., Any]") -> "Tool":
        """A plain function is a tool with the defaults. Raises InvalidTool."""
        return one if isinstance(one, Tool) else tool(one)


@overload
def tool(function: Callable[..., Any], /) -> Tool: ...
@overload
def tool(
    *,
    name: str | None = None,
    description: str | None = None,
    needs_approval: NeedsApproval = False,
    retries: Retry | int | None = None,
    timeout: timedelta | None = None,
) -> Callable[[Callable[..., Any]], Tool]: ...
def tool(
    function: Callable[..., Any] | None = None,
    /,
    *,
    name: str | None = None,
    description: str | None = None,
    needs_approval: NeedsApproval = False,
    retries: Retry | int | None = None,
    timeout: timedelta | None = None,
) -> Tool | Callable[[Callable[..., Any]], Tool]:
    """Let models call a function, `def` or `async def`: its types are the JSON Schema, its docstring the description.

    `needs_approval` may be a plain function of the arguments (a mapping, typed as the parameters are); one that raises
    counts as True. `retries` (an int is max_attempts) and `timeout` are those of the step that each call is, and the
    job's by default. Raises InvalidTool.
    """

    def declare(function: Callable[..., Any]) -> Tool:
        said = description if description is not None else read_docstring(inspect.getdoc(function) or "")[0]
        return Tool(
            name=name or str(getattr(function, "__name__", "")), description=said, function=function,
            needs_approval=needs_approval, retries=retries, timeout=timeout,
        )  # fmt: skip

    return declare if function is None else declare(function)


def by_name(tools: Sequence[Tool | Callable[..., Any]]) -> dict[str, Tool]:
    """The tools that one model is handed. Raises InvalidTool for two of one name."""
    found: dict[str, Tool] = {}
    for one in map(Tool.of, tools):
        if one.name in found:
            raise InvalidTool(one.name, "is given twice", "Give one of them another `name`.")
        found[one.name] = one
    return found
