"""A flow's graph as text: for Mermaid, for Graphviz, and as JSON."""

import json
from collections.abc import Callable
from dataclasses import asdict

from flows.agents.graph import Edge, Graph, Node

_DOT_SHAPES = {"parallel": "box3d", "flow": "component", "python": "cds", "person": "house", "end": "doublecircle"}
_MERMAID_SHAPES = {
    "parallel": ('[["', '"]]'), "flow": ('[/"', '"/]'), "python": ('{{"', '"}}'), "person": ('(["', '"])'),
    "end": ('(("', '"))'),
}  # fmt: skip
_LONGEST_LABEL = 80


def mermaid(graph: Graph) -> str:
    """https://mermaid.js.org/syntax/flowchart.html"""
    ids = _ids(graph)
    lines = ["flowchart TD"]
    for node in graph.nodes:
        before, after = _MERMAID_SHAPES.get(node.kind, ('["', '"]'))
        lines.append(f"    {ids[node.name]}{before}{_mermaid_text(_title(node))}{after}")
    for edge in graph.edges:
        arrow = "-.->" if edge.kind == "monitor" else "-->"
        label = f'|"{_mermaid_text(_label(edge))}"|' if edge.label else ""
        lines.append(f"    {ids[edge.source]} {arrow}{label} {ids[edge.target]}")
    return "\n".join([*lines, f"    style {ids[graph.initial]} stroke-width:3px", ""])


def dot(graph: Graph) -> str:
    """https://graphviz.org/doc/info/lang.html"""
    ids = _ids(graph)
    lines = ["digraph flow {", "    node [shape=box];"]
    for node in graph.nodes:
        bold = ", penwidth=2" if node.name == graph.initial else ""
        shape = _DOT_SHAPES.get(node.kind, "box")
        lines.append(f"    {ids[node.name]} [label={_dot_text(_title(node))}, shape={shape}{bold}];")
    for edge in graph.edges:
        style = ", style=dashed" if edge.kind == "monitor" else ""
        lines.append(f"    {ids[edge.source]} -> {ids[edge.target]} [label={_dot_text(_label(edge))}{style}];")
    return "\n".join([*lines, "}", ""])


def as_json(graph: Graph) -> str:
    return json.dumps(asdict(graph), indent=2, ensure_ascii=False) + "\n"


FORMATS: dict[str, Callable[[Graph], str]] = {"mermaid": mermaid, "dot": dot, "json": as_json}


def _ids(graph: Graph) -> dict[str, str]:
    return {node.name: f"n{place}" for place, node in enumerate(graph.nodes)}


def _title(node: Node) -> str:
    return node.name + "".join(f"\n{sub}" for sub in node.subs)


def _label(edge: Edge) -> str:
    text = " ".join(edge.label.split())
    return text if len(text) <= _LONGEST_LABEL else text[: _LONGEST_LABEL - 1] + "…"


def _mermaid_text(text: str) -> str:
    """Entities for what Mermaid would read as its own: its numbers stand without the `&`."""
    escaped = "".join(f"#{ord(sign)};" if sign in '"#<>&|[](){}`\\' else sign for sign in text)
    return escaped.replace("\n", "<br>")


def _dot_text(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
