"""What a lane of the timeline is made of: parts that follow one another without a gap. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class PartKind(StrEnum):
    """What a run or a step did meanwhile."""

    QUEUED = "queued"  # due, and no worker had taken it
    WORKING = "working"  # an attempt, or a run in a worker's hands
    WAITING = "waiting"  # for a signal, an answer, a child, a time
    RETRYING = "retrying"  # between an attempt that failed and the next one
    PAUSED = "paused"
    STOPPED = "stopped"  # failed, until an operator's retry


@dataclass(frozen=True, slots=True)
class Part:
    """From `start` to `end`, in milliseconds since the timeline's beginning.

    `attempt` counts a step's attempts from 1 (0: no attempt, or one that nothing is recorded of); `outcome` is its
    end: completed, failed, cancelled, lost, or open.
    """

    kind: PartKind
    start: int
    end: int
    attempt: int = 0
    outcome: str = ""

    @property
    def length(self) -> int:
        return self.end - self.start


def follow_on(moves: Iterable[tuple[int, PartKind]], start: int, end: int, first: PartKind) -> tuple[Part, ...]:
    """The parts between moves: each lasts to the next one, the last to `end`. Moves outside count at the bounds."""
    parts: list[Part] = []
    at, kind = start, first
    for moment, following in sorted(moves, key=lambda move: move[0]):
        moment = min(max(moment, at), end)
        if following == kind:
            continue
        if moment > at:
            parts.append(Part(kind, at, moment))
        at, kind = moment, following
    return (*parts, Part(kind, at, end)) if end > at or not parts else tuple(parts)


@dataclass(frozen=True, slots=True)
class Try:
    """An attempt as it is recorded, in milliseconds; `ended` is None of one that is open or whose worker died."""

    number: int
    outcome: str
    started: int
    ended: int | None


def from_tries(tries: Iterable[Try], start: int, end: int, is_open: bool) -> tuple[Part, ...]:
    """A step's parts: each attempt, and the pauses before, between and after them.

    Attempts of a worker that lost its lease may overlap later ones: each ends where the next begins. After the last
    one, a step that `is_open` waits for its next attempt.
    """
    known = sorted(tries, key=lambda one: (one.started, one.number))
    parts: list[Part] = []
    at = start
    for one, following in zip(known, [*known[1:], None], strict=True):
        began = min(max(one.started, at), end)
        latest = end if following is None else min(max(following.started, began), end)
        ended = latest if one.ended is None else min(max(one.ended, began), latest)
        if began > at:
            parts.append(Part(PartKind.RETRYING if parts else PartKind.QUEUED, at, began))
        parts.append(Part(PartKind.WORKING, began, ended, one.number, one.outcome))
        at = ended
    if at < end or not parts:
        parts.append(Part(PartKind.RETRYING if is_open and known else PartKind.WORKING, at, end))
    return tuple(parts)
