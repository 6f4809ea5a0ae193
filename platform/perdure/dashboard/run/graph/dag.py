"""A pipeline's steps as a drawing: layers from top to bottom, each step below all that it depends on. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from flows.pipelines.spec import Mode, PipelineDef, StepDef
from flows.pipelines.wire import StepExecution
from perdure.dashboard.flow.lines import shortened

BOX_WIDTH, BOX_HEIGHT, BESIDE, BELOW, MARGIN, ARROW = 200, 58, 28, 52, 12, 7
THROUGH = 12
"""Pixels; the last is the room of a line that passes a layer."""
NAME_LETTERS = 22
STATUSES = {"pending": "", "running": "running", "success": "completed", "failed": "failed", "skipped": "skipped",
            "cancelled": "cancelled"}  # fmt: skip
"""A step's state as pages show it."""
SWEEPS = 4


@dataclass
class Box:
    """A step; `status` is empty before it begins, `done` says how many of its shards have ended.

    `opens` is the engine's step that a page shows for it, `href` where else it leads; empty without a run.
    """

    step: StepDef
    status: str
    done: str
    x: int = 0
    y: int = 0
    opens: str = ""
    href: str = ""

    @property
    def name(self) -> str:
        return shortened(self.step.title, NAME_LETTERS)

    @property
    def kind(self) -> str:
        return f"{self.step.kind.value}{_MODES[self.step.mode]}"

    @property
    def middle(self) -> int:
        return self.x + BOX_WIDTH // 2

    @property
    def bottom(self) -> int:
        return self.y + BOX_HEIGHT

    @property
    def right(self) -> int:
        return self.x + BOX_WIDTH


_MODES = {Mode.SINGLE: "", Mode.FANOUT: ", for each source", Mode.PER_ITEM: ", for each item"}


@dataclass(frozen=True)
class Line:
    """A dependency as SVG draws it; `is_passed` when what it leads from has completed."""

    source: str
    target: str
    path: str
    head: str
    is_passed: bool


@dataclass(frozen=True)
class Dag:
    """All of it in pixels."""

    width: int
    height: int
    boxes: list[Box]
    lines: list[Line]

    @property
    def told(self) -> str:
        """The drawing in words, for those who do not see it."""
        begun = [f"{box.step.title} {box.status}" for box in self.boxes if box.status]
        return f"{len(self.boxes)} steps" + (f": {', '.join(begun)}" if begun else "")

    @property
    def current(self) -> list[str]:
        return [box.step.title for box in self.boxes if box.status == "running"]


def draw_pipeline(definition: PipelineDef, states: Sequence[StepExecution] = ()) -> Dag:
    """With a run's states, or only the pipeline. A dependency on a step that does not exist is left out."""
    known = {state.step_id: state for state in states}
    boxes = {step.id: _box(step, known.get(step.id)) for step in definition.steps}
    layers = _Layers(_depths(definition))
    edges = [(source, step.id) for step in definition.steps for source in step.depends_on if source in boxes]
    chains = [layers.thread(source, target) for source, target in edges]
    layers.sort(chains)
    width = layers.place(boxes)
    lines = [_line(chain, boxes, layers) for chain in chains]
    height = MARGIN * 2 + len(layers.rows) * (BOX_HEIGHT + BELOW) - BELOW
    return Dag(width, height, list(boxes.values()), lines)


def _box(step: StepDef, state: StepExecution | None) -> Box:
    status = STATUSES.get(state.status, "") if state else ""
    parts = state.shards_done if state and step.mode is not Mode.SINGLE else 0
    return Box(step, status, f"{parts} done" if parts else "")


def _depths(definition: PipelineDef) -> dict[str, int]:
    """How many steps lead to each one, at the longest. Documents are checked to have no cycle."""
    found: dict[str, int] = {}
    steps = {step.id: step for step in definition.steps}
    left = list(steps)
    while left:
        ready = [one for one in left if all(before in found or before not in steps for before in steps[one].depends_on)]
        for one in ready or left:
            found[one] = max((found.get(before, -1) + 1 for before in steps[one].depends_on), default=0)
        left = [one for one in left if one not in found]
    return found


@dataclass
class _Layers:
    """What stands beside one another: steps by their id, and lines that pass through as `source>target@row`."""

    depths: Mapping[str, int]
    rows: list[list[str]] = field(default_factory=list)
    middles: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.rows = [[] for _ in range(max(self.depths.values(), default=0) + 1)]
        for name, depth in self.depths.items():
            self.rows[depth].append(name)

    def thread(self, source: str, target: str) -> list[str]:
        """The line's places from layer to layer, new ones where it only passes."""
        between = range(self.depths[source] + 1, self.depths[target])
        passes = [f"{source}>{target}@{row}" for row in between]
        for row, name in zip(between, passes, strict=True):
            self.rows[row].append(name)
        return [source, *passes, target]

    def sort(self, chains: Sequence[Sequence[str]]) -> None:
        """Each beside those that it is joined to, so that few lines cross."""
        joined: dict[str, list[str]] = {}
        for chain in chains:
            for above, below in pairwise(chain):
                joined.setdefault(above, []).append(below)
                joined.setdefault(below, []).append(above)
        for sweep in range(SWEEPS):
            rows = self.rows if sweep % 2 == 0 else self.rows[::-1]
            seen: dict[str, float] = {}
            for row in rows:
                own = {name: (place + 0.5) / len(row) for place, name in enumerate(row)}
                weights = {name: [seen[one] for one in joined.get(name, ()) if one in seen] for name in row}
                row.sort(key=lambda name: sum(weights[name]) / len(weights[name]) if weights[name] else own[name])
                seen = {name: (place + 0.5) / len(row) for place, name in enumerate(row)}

    def place(self, boxes: Mapping[str, Box]) -> int:
        """Give every box its corner and every line its places; the drawing's width."""
        widths = [sum(_wide(name, boxes) + BESIDE for name in row) - BESIDE for row in self.rows]
        whole = max([*widths, 0]) + 2 * MARGIN
        for number, row in enumerate(self.rows):
            x = (whole - widths[number]) // 2
            for name in row:
                self.middles[name] = x + _wide(name, boxes) // 2
                if name in boxes:
                    boxes[name].x, boxes[name].y = x, MARGIN + number * (BOX_HEIGHT + BELOW)
                x += _wide(name, boxes) + BESIDE
        return whole


def _wide(name: str, boxes: Mapping[str, Box]) -> int:
    return BOX_WIDTH if name in boxes else THROUGH


def _line(chain: Sequence[str], boxes: Mapping[str, Box], layers: _Layers) -> Line:
    source, target = boxes[chain[0]], boxes[chain[-1]]
    path, x, y = f"M{source.middle} {source.bottom}", source.middle, source.bottom
    for number, name in enumerate(chain[1:], 1):
        to = layers.middles[name]
        top = source.y + number * (BOX_HEIGHT + BELOW)
        end = top - ARROW if name == target.step.id else top
        path += f"C{x} {y + BELOW // 2} {to} {top - BELOW // 2} {to} {end}"
        if name != target.step.id:
            path += f"V{top + BOX_HEIGHT}"
        x, y = to, top + BOX_HEIGHT
    head = f"M{target.middle} {target.y}l-4 -{ARROW}h8z"
    return Line(chain[0], chain[-1], path, head, source.status == "completed")
