"""The lines of a flow's drawing: straight to the next box, or along lanes beside the column of boxes. Pure."""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field

from flows.agents.graph import Edge

LANE, LABEL_SPACE, CORNER, ARROW = 14, 142, 6, 7
"""Pixels: between lanes; beside a box for the labels of its lines; of a line's corners; of an arrow's head."""
SIDE_LETTERS, STRAIGHT_LETTERS = 21, 30
"""How much of a label fits, in letters of the Latin script."""


@dataclass
class Way:
    """All rules that lead from one step to another, drawn as one line. `taken` counts how often a run went it."""

    source: str
    target: str
    edges: list[Edge]
    taken: int = 0
    exit: int = 0
    lane: int = 0

    @property
    def condition(self) -> str:
        """All that is known of it, for its tooltip."""
        return " / ".join(dict.fromkeys(edge.label for edge in self.edges if edge.label))

    @property
    def is_judged(self) -> bool:
        """Whether only a loop monitor's judge chooses it."""
        return all(edge.kind == "monitor" for edge in self.edges)


@dataclass(frozen=True)
class Line:
    """A line as SVG draws it; its label stands at `x`, `y`, and ends there if `ends` is true."""

    way: Way
    path: str
    head: str
    label: str
    x: int
    y: int
    ends: bool = False


@dataclass
class Side:
    """The lines at one side of the column: -1 is left, 1 is right."""

    sign: int
    ways: list[Way] = field(default_factory=list)
    lanes: int = 0

    @property
    def width(self) -> int:
        return LABEL_SPACE + LANE * self.lanes if self.ways else 0

    def place(self, entries: dict[str, int]) -> None:
        """Give each line its lane: one for all that lead to a step, none over another, the shortest innermost."""
        spans: dict[str, tuple[int, int]] = {}
        for target in {way.target: None for way in self.ways}:
            ends = [entries[target], *(way.exit for way in self.ways if way.target == target)]
            spans[target] = (min(ends), max(ends))
        lanes: list[list[tuple[int, int]]] = []
        chosen: dict[str, int] = {}
        for target, span in sorted(spans.items(), key=lambda one: (one[1][1] - one[1][0], one[1])):
            chosen[target] = _free_lane(lanes, span)
        for way in self.ways:
            way.lane = chosen[way.target]
        self.lanes = len(lanes)

    def draw(self, way: Way, edge_x: int, entry_x: int, entry: int) -> Line:
        """Out of a box's side at `edge_x`, along the lane, and in at `entry_x` at the height `entry`."""
        out = edge_x + self.sign * (LABEL_SPACE + LANE * way.lane)
        down = 1 if entry > way.exit else -1
        bend = self.sign * CORNER
        path = (
            f"M{edge_x} {way.exit}H{out - bend}Q{out} {way.exit} {out} {way.exit + down * CORNER}"
            f"V{entry - down * CORNER}Q{out} {entry} {out - bend} {entry}H{entry_x + self.sign * ARROW}"
        )
        head = f"M{entry_x} {entry}l{self.sign * ARROW} -4v8z"
        label = _label(way, SIDE_LETTERS)
        return Line(way, path, head, label, edge_x + self.sign * 8, way.exit - 5, self.sign < 0)


def straight(way: Way, x: int, top: int, bottom: int) -> Line:
    """Down from the box above to the one below."""
    label = _label(way, STRAIGHT_LETTERS)
    path, head = f"M{x} {top}V{bottom - ARROW}", f"M{x} {bottom}l-4 -{ARROW}h8z"
    return Line(way, path, head, label, x + 8, (top + bottom) // 2 + 3)


def ways_of(edges: Iterable[Edge], taken: dict[tuple[str, str], int]) -> list[Way]:
    """One for each pair of steps, in the order of the rules."""
    found: dict[tuple[str, str], Way] = {}
    for edge in edges:
        pair = (edge.source, edge.target)
        found.setdefault(pair, Way(*pair, [], taken.get(pair, 0))).edges.append(edge)
    return list(found.values())


def shortened(text: str, letters: int) -> str:
    """At most so wide a text; letters of East Asian scripts count twice."""
    text = " ".join(text.split())
    if width_of(text) <= letters:
        return text
    kept = ""
    for letter in text:
        if width_of(kept + letter) >= letters:
            break
        kept += letter
    return f"{kept.rstrip()}…"


def width_of(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def _label(way: Way, letters: int) -> str:
    """Of an expression its end says more than its beginning; of several conditions the first is shown."""
    letters -= len(f" ×{way.taken}") if way.taken else 0
    labels = list(dict.fromkeys(edge.label for edge in way.edges if edge.label))
    more = f" +{len(labels) - 1}" if len(labels) > 1 else ""
    text = labels[0] if labels else ""
    room = letters - len(more)
    if text.startswith("when(") and text.endswith(")") and width_of(text) > room:
        return f"…{shortened(text[5:-1][::-1], room - 1).rstrip('…')[::-1].lstrip()}{more}"
    return shortened(text, room) + more


def _free_lane(lanes: list[list[tuple[int, int]]], span: tuple[int, int]) -> int:
    for number, taken in enumerate(lanes):
        if all(span[1] + CORNER < low or span[0] - CORNER > high for low, high in taken):
            taken.append(span)
            return number
    lanes.append([span])
    return len(lanes) - 1
