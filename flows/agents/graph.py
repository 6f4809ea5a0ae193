"""The graph of a flow: its steps, and the ways that its rules lead from one to another."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from flows.agents.spec import ABORT, COMPLETE, Flow, Rule, Step

EdgeKind = Literal["rule", "default", "next", "return", "monitor"]


@dataclass(frozen=True, slots=True)
class Node:
    """A step, with the names of its sub-steps; COMPLETE and ABORT, where they can be reached, are of kind `end`."""

    name: str
    kind: Literal["agent", "parallel", "flow", "python", "person", "end"]
    subs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Edge:
    """A way from a step to the next: `rule_index` counts the step's rules from 0, and those of a monitor's judge."""

    source: str
    target: str
    label: str = ""
    rule_index: int | None = None
    kind: EdgeKind = "rule"


@dataclass(frozen=True, slots=True)
class Graph:
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    initial: str

    def reached(self) -> set[str]:
        """The names of all nodes that a run can come to."""
        found: set[str] = set()
        left = [self.initial]
        while left:
            name = left.pop()
            if name not in found:
                found.add(name)
                left.extend(edge.target for edge in self.edges if edge.source == name)
        return found


def graph_of(flow: Flow) -> Graph:
    """Steps in the order of the file, ends last."""
    edges = (*(edge for step in flow.steps for edge in _ways_of(flow, step)), *_ways_of_monitors(flow))
    steps = [Node(step.name, step.kind, tuple(sub.name for sub in step.parallel)) for step in flow.steps]
    targets = {edge.target for edge in edges}
    ends = [Node(name, "end") for name in (COMPLETE, ABORT) if name in targets]
    return Graph((*steps, *ends), edges, flow.initial_step)


def next_in_file(flow: Flow, step: Step) -> str:
    """Where a step without rules and without a default leads: to the one after it, the last to COMPLETE."""
    names = [one.name for one in flow.steps]
    place = names.index(step.name) + 1
    return names[place] if place < len(names) else COMPLETE


def _ways_of(flow: Flow, step: Step) -> Iterator[Edge]:
    for index, rule in enumerate(step.rules):
        yield _way(step.name, rule, index)
    if step.default is not None:
        yield Edge(step.name, step.default, "default", kind="default")
    elif not step.rules:
        yield Edge(step.name, next_in_file(flow, step), kind="next")


def _way(source: str, rule: Rule, index: int) -> Edge:
    if rule.return_ is not None:
        return Edge(source, COMPLETE, f"{rule.condition} (returns {rule.return_})", index, "return")
    return Edge(source, rule.next or COMPLETE, rule.condition, index)


def _ways_of_monitors(flow: Flow) -> Iterator[Edge]:
    """A judge decides where the last step of its cycle leads."""
    for monitor in flow.loop_monitors:
        for index, rule in enumerate(monitor.judge.rules):
            yield Edge(monitor.cycle[-1], rule.next or COMPLETE, rule.condition, index, "monitor")
