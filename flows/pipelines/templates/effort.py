"""How much a template may do. Counted, not timed: a replay on a slower machine must come to the same end."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from flows.pipelines.errors import TemplateRefused

MAX_EFFORT = 200_000
"""Values touched, 64 characters of text counted as one."""

MAX_OUTPUT = 1024 * 1024
"""Characters that a template may give."""

CHARACTERS = 64
_LARGEST = 2**63

_left: ContextVar[list[int] | None] = ContextVar("pipelines_template_effort", default=None)


@contextmanager
def limited() -> Iterator[None]:
    """Inside, one template is rendered or one expression evaluated."""
    token = _left.set([MAX_EFFORT])
    try:
        yield
    finally:
        _left.reset(token)


def spend(amount: int) -> None:
    """Raises TemplateRefused when it is too much."""
    left = _left.get()
    if left is None:
        return
    left[0] -= amount
    if left[0] < 0:
        raise TemplateRefused("it does too much: it loops too often, or handles too much text at once")


def measured(value: Any) -> Any:
    """The value, paid for: `[x, x]` that was built thirty times over is as large as what it would print."""
    stack = [value]
    while stack:
        one = stack.pop()
        spend(1)
        if isinstance(one, str):
            spend(len(one) // CHARACTERS)
        elif isinstance(one, Mapping):
            stack.extend(one)
            stack.extend(one.values())
        elif isinstance(one, list | tuple | set):
            stack.extend(one)
        elif isinstance(one, int | float) and not -_LARGEST < one < _LARGEST:
            raise TemplateRefused("a number in it is too large")
    return value
