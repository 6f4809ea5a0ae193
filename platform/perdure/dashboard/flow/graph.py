"""A flow's graph as a drawing: its steps in a column, in the order of the file, and the lines between them. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from flows.agents.graph import Graph, Node
from flows.agents.progress import Progress
from flows.agents.spec import ABORT
from perdure.dashboard.flow.lines import Line, Side, Way, shortened, straight, ways_of

BOX_WIDTH, END_WIDTH, GAP, MARGIN = 200, 120, 42, 12
FIRST_LINE, SUB_LINE, PORT, FIRST_PORT = 46, 18, 20, 14
NAME_LETTERS, SUB_LETTERS, SUBS_SHOWN = 20, 24, 8
STRAIGHT_LABEL = 210
"""Pixels."""
_KINDS = {
    "agent": "agent",
    "parallel": "at the same time",
    "flow": "calls a flow",
    "python": "Python",
    "person": "people",
}


@dataclass(frozen=True)
class SubLine:
    """A sub-step in its box: `mark` is a sign for its status, if the parallel step is the newest."""

    text: str
    status: str
    mark: str
    y: int


@dataclass
class Box:
    """A step. `state` is `now`, `next` or empty, `visits` count how often it was begun."""

    node: Node
    x: int
    y: int
    width: int
    height: int
    visits: int
    state: str
    name: str
    kind: str
    subs: list[SubLine] = field(default_factory=list)

    @property
    def middle(self) -> int:
        return self.x + self.width // 2

    @property
    def bottom(self) -> int:
        return self.y + self.height

    @property
    def right(self) -> int:
        return self.x + self.width


@dataclass(frozen=True)
class Drawing:
    """All of it in pixels; lines that were taken come last, over the others."""

    width: int
    height: int
    boxes: list[Box]
    lines: list[Line]

    @property
    def told(self) -> str:
        """The drawing in words, for those who do not see it."""
        visited = [f"{box.node.name} {box.visits} times" for box in self.boxes if box.visits]
        now = [f"{box.state}: {box.node.name}" for box in self.boxes if box.state]
        return ". ".join(
            [f"{len(self.boxes)} steps and ends", *now, *(["done: " + ", ".join(visited)] if visited else [])]
        )


_MARKS = {"completed": "✓", "failed": "✕", "running": "●", "cancelled": "–"}


def draw(graph: Graph, progress: Progress | None = None) -> Drawing:
    """With a run's progress, or only the flow."""
    progress = progress or Progress()
    ways = ways_of(graph.edges, dict(progress.taken))
    rows = {node.name: number for number, node in enumerate(graph.nodes)}
    left, right, down = _sides(ways, rows)
    slots = {name: max(_exits(left, name), _exits(right, name)) for name in rows}
    boxes = _boxes(graph, progress, slots)
    entries = {name: box.y + (FIRST_PORT if box.node.kind != "end" else box.height // 2) for name, box in boxes.items()}
    for side in (left, right):
        _set_exits(side, boxes)
        side.place(entries)
    shift = left.width + MARGIN
    for box in boxes.values():
        box.x += shift
    lines = [straight(way, boxes[way.source].middle, boxes[way.source].bottom, boxes[way.target].y) for way in down]
    for way in left.ways:
        lines.append(left.draw(way, boxes[way.source].x, boxes[way.target].x, entries[way.target]))
    for way in right.ways:
        lines.append(right.draw(way, boxes[way.source].right, boxes[way.target].right, entries[way.target]))
    lines.sort(key=lambda one: one.way.taken > 0)
    column = max(BOX_WIDTH + right.width, BOX_WIDTH // 2 + STRAIGHT_LABEL)
    height = max(box.bottom for box in boxes.values()) + MARGIN
    return Drawing(
        shift + column + MARGIN, height, list(boxes.values()), sorted(lines, key=lambda one: one.way.taken > 0)
    )


def _sides(ways: list[Way], rows: Mapping[str, int]) -> tuple[Side, Side, list[Way]]:
    """Back on the left, ahead on the right, and those that just go on to the next box."""
    left, right = Side(-1), Side(1)
    down: list[Way] = []
    for way in ways:
        source, target = rows[way.source], rows[way.target]
        if target == source + 1:
            down.append(way)
        else:
            (left if target <= source else right).ways.append(way)
    return left, right, down


def _exits(side: Side, name: str) -> int:
    return sum(way.source == name for way in side.ways)


def _set_exits(side: Side, boxes: Mapping[str, Box]) -> None:
    used: dict[str, int] = {}
    for way in side.ways:
        used[way.source] = used.get(way.source, 0) + 1
        way.exit = boxes[way.source].y + FIRST_PORT + PORT * used[way.source]


def _boxes(graph: Graph, progress: Progress, slots: Mapping[str, int]) -> dict[str, Box]:
    found: dict[str, Box] = {}
    y = MARGIN
    for node in graph.nodes:
        found[node.name] = box = _box(node, progress, slots[node.name], y)
        y = box.bottom + (GAP if node.kind != "end" else GAP // 2)
    return found


def _box(node: Node, progress: Progress, slots: int, y: int) -> Box:
    is_end = node.kind == "end"
    width = END_WIDTH if is_end else BOX_WIDTH
    subs = [] if is_end else _sub_lines(node, progress)
    wanted = FIRST_LINE + SUB_LINE * len(subs) + (8 if subs else 4)
    height = 30 if is_end else max(wanted, FIRST_PORT + PORT * (slots + 1) - 4)
    visits = _ends(progress, node.name) if is_end else progress.visits.get(node.name, 0)
    state = _state(node, progress)
    letters = NAME_LETTERS - (3 if visits else 0)
    return Box(
        node, (BOX_WIDTH - width) // 2, y, width, height, visits, state, shortened(node.name, letters),
        _KINDS.get(node.kind, ""), [SubLine(one.text, one.status, one.mark, y + one.y) for one in subs],
    )  # fmt: skip


def _state(node: Node, progress: Progress) -> str:
    if node.name != progress.current:
        return ""
    return "now" if progress.path and not progress.is_chosen else "next"


def _ends(progress: Progress, name: str) -> int:
    led = sum(count for (_, target), count in progress.taken.items() if target == name)
    return led + (progress.aborts if name == ABORT else 0)


def _sub_lines(node: Node, progress: Progress) -> list[SubLine]:
    """Their statuses are shown while the step is the newest one."""
    newest = progress.path[-1:] == (node.name,)
    statuses = {one.name: one.status for one in progress.subs} if newest else {}
    names = node.subs if len(node.subs) <= SUBS_SHOWN else node.subs[: SUBS_SHOWN - 1]
    lines = [
        SubLine(shortened(name, SUB_LETTERS), statuses.get(name, ""), _MARKS.get(statuses.get(name, ""), "·"), place)
        for name, place in zip(names, range(FIRST_LINE + 14, 10_000, SUB_LINE), strict=False)
    ]
    if len(names) < len(node.subs):
        rest = f"and {len(node.subs) - len(names)} more"
        lines.append(SubLine(rest, "", "", FIRST_LINE + 14 + SUB_LINE * len(lines)))
    return lines
