"""The graph of a flow tells where each rule leads."""

import json

from flows.agents import drawing
from flows.agents.graph import Edge, graph_of, next_in_file
from flows.agents.loader import load

FLOW = load("""
name: f
personas: {one: Some one.}
steps:
  - name: plan
    persona: one
  - name: work
    parallel:
      - {name: a, persona: one, rules: [{condition: 'say "yes"'}]}
      - {name: b, persona: one, rules: [{condition: 'say "yes"'}]}
    rules:
      - {condition: 'all("say \\"yes\\"")', next: COMPLETE}
      - {condition: 'any("error")', next: plan}
    default: ABORT
loop_monitors:
  - cycle: [plan, work]
    threshold: 2
    judge: {rules: [{condition: it goes nowhere, next: ABORT}]}
""")


def test_steps_without_rules_lead_on_to_the_next_in_the_file() -> None:
    assert next_in_file(FLOW, FLOW.steps[0]) == "work"
    assert next_in_file(FLOW, FLOW.steps[1]) == "COMPLETE"


def test_a_graph_has_each_step_each_end_that_is_reached_and_each_way() -> None:
    graph = graph_of(FLOW)
    assert [(node.name, node.kind, node.subs) for node in graph.nodes] == [
        ("plan", "agent", ()), ("work", "parallel", ("a", "b")), ("COMPLETE", "end", ()), ("ABORT", "end", ()),
    ]  # fmt: skip
    assert graph.edges == (
        Edge("plan", "work", kind="next"),
        Edge("work", "COMPLETE", 'all("say \\"yes\\"")', 0),
        Edge("work", "plan", 'any("error")', 1),
        Edge("work", "ABORT", "default", kind="default"),
        Edge("work", "ABORT", "it goes nowhere", 0, "monitor"),
    )
    assert graph.reached() == {"plan", "work", "COMPLETE", "ABORT"}


def test_quotes_and_brackets_of_conditions_do_not_break_the_drawings() -> None:
    graph = graph_of(FLOW)
    assert 'n1 -->|"any#40;#34;error#34;#41;"| n0' in drawing.mermaid(graph)
    assert r'n1 -> n2 [label="all(\"say \\\"yes\\\"\")"];' in drawing.dot(graph)
    assert json.loads(drawing.as_json(graph))["initial"] == "plan"
