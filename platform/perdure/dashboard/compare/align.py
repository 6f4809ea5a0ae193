"""Two runs laid side by side by the names of their steps. Pure: it knows nothing of runs or pages."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Pair(Generic[T]):
    """What stands in one row; at least one side is there."""

    name: str
    left: T | None
    right: T | None


def align(left: Sequence[T], right: Sequence[T], name_of: Callable[[T], str]) -> list[Pair[T]]:
    """Each of `left` and of `right` in exactly one row, those of one name in the same; names are unique on a side.

    Rows go in the order of the left side. What only the right side has comes behind the one before it on that side,
    so that what took the place of a step stands next to it.
    """
    of_right = {name_of(one): one for one in right}
    of_left = {name_of(one) for one in left}
    behind: dict[str | None, list[T]] = {}
    last: str | None = None
    for one in right:
        if name_of(one) in of_left:
            last = name_of(one)
        else:
            behind.setdefault(last, []).append(one)
    return list(_rows(left, of_right, behind, name_of))


def _rows(
    left: Sequence[T], of_right: dict[str, T], behind: dict[str | None, list[T]], name_of: Callable[[T], str]
) -> Iterator[Pair[T]]:
    """Steps of the left side alone go before those of the right alone that took their place."""
    waiting = behind.get(None, [])
    for one in left:
        name = name_of(one)
        if name in of_right:
            yield from (Pair(name_of(other), None, other) for other in waiting)
            waiting = behind.get(name, [])
        yield Pair(name, one, of_right.get(name))
    yield from (Pair(name_of(other), None, other) for other in waiting)
