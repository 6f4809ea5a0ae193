"""Where the marks of a chart stand in its picture. Pure: numbers in, numbers out; templates write the SVG."""

from collections.abc import Sequence
from dataclasses import dataclass

from perdure.dashboard.charts.points import Point, Series, plain, top_of

SPARK_WIDTH, SPARK_HEIGHT = 240, 48
BARS_WIDTH, BARS_HEIGHT = 640, 180
_EDGE = 3
"""Room for half a line's width, so that no mark is cut."""
COLOURS = 6
"""Series that have a colour of their own; perdure.css names them chart-1 to chart-6."""


@dataclass(frozen=True)
class Mark:
    """A bar or a point: upper left corner, size, and what it says."""

    x: float
    y: float
    width: float
    height: float
    title: str
    colour: int = 1


@dataclass(frozen=True)
class Spark:
    """`lines` are polylines, broken where nothing was measured; `areas` fill below them; `last` is the newest point."""

    width: int
    height: int
    lines: list[str]
    areas: list[str]
    last: Mark | None
    marks: list[Mark]


@dataclass(frozen=True)
class Bars:
    """`top` is the value of the upper edge."""

    width: int
    height: int
    marks: list[Mark]
    top: float


def spark(points: Sequence[Point]) -> Spark:
    """A line from the left edge to the right one, from 0 at the bottom to the largest value at the top."""
    width, height = SPARK_WIDTH, SPARK_HEIGHT
    top = top_of([point.value for point in points])
    step = (width - 2 * _EDGE) / max(1, len(points) - 1)
    stretches: list[list[Mark]] = [[]]
    for index, point in enumerate(points):
        if point.value is None:
            stretches.append([])
            continue
        y = height - _EDGE - (height - 2 * _EDGE) * point.value / top
        stretches[-1].append(Mark(_EDGE + index * step, y, 0, 0, f"{point.label}: {point.text}"))
    held = [marks for marks in stretches if marks]
    marks = [mark for stretch in held for mark in stretch]
    lines = [" ".join(f"{mark.x:.1f},{mark.y:.1f}" for mark in _widened(stretch)) for stretch in held]
    areas = [f"{line} {_ends(stretch, height)}" for line, stretch in zip(lines, map(_widened, held), strict=True)]
    return Spark(width, height, lines, areas, marks[-1] if marks else None, marks)


def _widened(stretch: list[Mark]) -> list[Mark]:
    """A lone value is a short line: a line of one point would not be seen."""
    if len(stretch) > 1:
        return stretch
    lone = stretch[0]
    return [Mark(lone.x - 1, lone.y, 0, 0, ""), Mark(lone.x + 1, lone.y, 0, 0, "")]


def _ends(stretch: list[Mark], height: int) -> str:
    return f"{stretch[-1].x:.1f},{height} {stretch[0].x:.1f},{height}"


def bars(points: Sequence[Point]) -> Bars:
    """A bar for each point, side by side."""
    series = [Series("", [point.value or 0 for point in points])]
    drawn = stacked([point.label for point in points], series)
    titles = [f"{point.label}: {point.text}" for point in points if point.value]
    marks = [
        Mark(mark.x, mark.y, mark.width, mark.height, title) for mark, title in zip(drawn.marks, titles, strict=True)
    ]
    return Bars(drawn.width, drawn.height, marks, drawn.top)


def stacked(labels: Sequence[str], series: Sequence[Series]) -> Bars:
    """A bar for each label, made of one piece for each series that has a value there, the first at the bottom."""
    width, height = BARS_WIDTH, BARS_HEIGHT
    top = top_of([sum(one.values[index] for one in series) for index in range(len(labels))])
    slot = width / max(1, len(labels))
    marks = []
    for index, label in enumerate(labels):
        bottom = float(height)
        for number, one in enumerate(series):
            value = one.values[index]
            if not value:
                continue
            tall = height * value / top
            bottom -= tall
            name = f"{one.name}, {label}" if one.name else label
            title, colour = f"{name}: {plain(value)}", number % COLOURS + 1
            marks.append(Mark(index * slot + slot * 0.1, bottom, slot * 0.8, tall, title, colour))
    return Bars(width, height, marks, top)
