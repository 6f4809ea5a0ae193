"""Time as places on the page: long idle stretches are folded to a narrow band. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from perdure.dashboard.run.timeline.arrange import RUN, Arranged
from perdure.dashboard.run.timeline.parts import PartKind

WIDTH = 1000.0
"""The whole scale, whatever the page's width."""
SHORTEST, SHARE = 2000, 0.1
"""Idle stretches are folded from so many milliseconds, and from this share of the time that is not idle."""
MOST, FOLD, ALL_FOLDS = 12, 40.0, 300.0
"""How many are folded at most (the longest), how wide each is, and how wide all together."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of time and its place on the scale."""

    start: int
    end: int
    left: float
    right: float
    is_folded: bool = False


@dataclass(frozen=True)
class Scale:
    """Segments that follow one another from 0 to the end, and from 0 to WIDTH."""

    segments: tuple[Segment, ...]

    def place(self, at: int) -> float:
        """Where a moment stands, from 0 to WIDTH."""
        for one in self.segments:
            if at <= one.end:
                share = (at - one.start) / (one.end - one.start) if one.end > one.start else 0
                return one.left + max(share, 0) * (one.right - one.left)
        return WIDTH

    def moment(self, place: float) -> int:
        """The moment that stands there: the inverse of `place`."""
        for one in self.segments:
            if place <= one.right:
                share = (place - one.left) / (one.right - one.left) if one.right > one.left else 0
                return round(one.start + max(share, 0) * (one.end - one.start))
        return self.segments[-1].end


def scale_of(arranged: Arranged, fold: bool = True) -> Scale:
    """The scale on which a run is shown."""
    folded = _to_fold(arranged) if fold else []
    width = min(FOLD, ALL_FOLDS / len(folded)) if folded else 0
    shown = arranged.end - sum(end - start for start, end in folded)
    per_millisecond = (WIDTH - width * len(folded)) / shown if shown else 0
    segments: list[Segment] = []
    at, left = 0, 0.0
    for start, end in folded:
        if start > at:
            right = left + (start - at) * per_millisecond
            segments.append(Segment(at, start, left, right))
            left = right
        segments.append(Segment(start, end, left, left + width, is_folded=True))
        at, left = end, left + width
    if arranged.end > at or not segments:
        segments.append(Segment(at, arranged.end, left, WIDTH))
    return Scale(tuple(segments))


def busy_stretches(arranged: Arranged) -> list[tuple[int, int]]:
    """When something was worked on, merged and in order. A run in a worker's hands only waits if its steps do."""
    spans = sorted(
        (part.start, part.end)
        for lane in arranged.lanes
        if lane.kind != RUN or len(arranged.lanes) == 1
        for part in lane.parts
        if part.kind == PartKind.WORKING
    )
    return _merged(spans)


def _to_fold(arranged: Arranged) -> list[tuple[int, int]]:
    busy = busy_stretches(arranged)
    worked = sum(end - start for start, end in busy)
    if not worked:
        return []
    least = max(SHORTEST, SHARE * worked)
    edges = [0, *(edge for span in busy for edge in span), arranged.end]
    idle = [(start, end) for start, end in zip(edges[::2], edges[1::2], strict=True) if end - start >= least]
    return sorted(sorted(idle, key=lambda span: span[0] - span[1])[:MOST])


def _merged(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for start, end in spans:
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return found
