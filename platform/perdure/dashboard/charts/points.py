"""What a chart shows, as data: the picture and the table beside it are drawn from the same."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Point:
    """One value; None where nothing was measured. `shown` is the value as people read it."""

    label: str
    value: float | None
    shown: str = ""

    @property
    def text(self) -> str:
        return self.shown or ("–" if self.value is None else plain(self.value))


def plain(value: float) -> str:
    """With its thousands apart, and no more digits than say something."""
    return f"{value:,.0f}" if value == int(value) else f"{value:,.4f}".rstrip("0").rstrip(".")


@dataclass(frozen=True)
class Series:
    """The values of one name over the same labels as its neighbours'."""

    name: str
    values: Sequence[float]


def points_of(rows: Sequence[tuple[str, float | None]], show: Callable[[float], str] | None = None) -> list[Point]:
    """Points of (label, value); `show` writes a value for people."""
    return [Point(label, value, show(value) if show and value is not None else "") for label, value in rows]


def top_of(values: Sequence[float | None]) -> float:
    """The value at the upper edge, never 0: an empty chart is flat and not broken."""
    return max((value for value in values if value is not None), default=0.0) or 1.0
