"""A flow's graph is drawn without overlaps, whatever its rules; its words say how each step followed."""

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from flows.agents.graph import Edge, Graph, Node
from flows.agents.progress import progress_of
from perdure.dashboard.flow.graph import Box, draw
from perdure.dashboard.flow.lines import shortened, width_of
from perdure.dashboard.flow.words import how_of, words_of

NAMES = [f"step {number}" for number in range(8)]
ENDS = ["COMPLETE", "ABORT"]
PAIRS = st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES + ENDS))


def graph_of(pairs: list[tuple[str, str]]) -> Graph:
    subs = ("one", "two")
    nodes = [
        Node(name, "parallel" if name == NAMES[2] else "agent", subs if name == NAMES[2] else ()) for name in NAMES
    ]
    edges = tuple(
        Edge(source, target, f"when({source} leads on)", number) for number, (source, target) in enumerate(pairs)
    )
    return Graph((*nodes, *(Node(name, "end") for name in ENDS)), edges, NAMES[0])


@settings(max_examples=40)
@given(st.lists(PAIRS, max_size=20))
def test_every_way_is_drawn_once_and_no_box_lies_on_another(pairs: list[tuple[str, str]]) -> None:
    drawn = draw(graph_of(pairs))
    assert {(line.way.source, line.way.target) for line in drawn.lines} == set(pairs)
    assert len(drawn.lines) == len(set(pairs))
    tops: list[Box] = sorted(drawn.boxes, key=lambda box: box.y)
    assert all(above.bottom < below.y for above, below in itertools.pairwise(tops))
    for box in drawn.boxes:
        assert (box.x >= 0, box.right <= drawn.width, box.bottom <= drawn.height) == (True, True, True)
    exits = [(line.way.source, line.way.exit, line.ends) for line in drawn.lines if "H" in line.path]
    assert len(exits) == len(set(exits))
    assert all(0 <= line.x <= drawn.width for line in drawn.lines)


def test_the_way_of_a_run_is_counted_and_its_newest_step_marked() -> None:
    steps = [(f"{number}. {NAMES[name]}", "completed") for number, name in ((1, 0), (2, 2), (3, 0))]
    steps += [("2. step 2 / one", "completed"), ("4. step 2: go on", "running")]
    hops = [
        {"iteration": 1, "from": NAMES[0], "to": NAMES[2]},
        {"iteration": 2, "from": NAMES[2], "to": NAMES[0]},
        {"iteration": 3, "from": NAMES[0], "to": NAMES[2]},
    ]
    progress = progress_of(steps, hops)
    assert progress.path == (NAMES[0], NAMES[2], NAMES[0])
    assert (progress.current, progress.is_chosen, progress.iteration) == (NAMES[2], True, 3)
    drawn = draw(graph_of([(NAMES[0], NAMES[2]), (NAMES[2], NAMES[0])]), progress)
    assert [(box.node.name, box.visits, box.state) for box in drawn.boxes if box.visits] == [
        (NAMES[0], 2, ""), (NAMES[2], 1, "next"),
    ]  # fmt: skip
    assert {(line.way.source, line.way.taken) for line in drawn.lines} == {(NAMES[0], 2), (NAMES[2], 1)}
    assert progress_of(steps, hops, ended=True).current is None
    assert progress_of([], [], initial="a").current == "a"


def test_a_failure_ends_at_abort_without_a_way_and_a_question_about_the_limit_begins_no_step() -> None:
    failed = {"iteration": 1, "from": NAMES[0], "to": "ABORT", "kind": "rule_no_match"}
    steps = [(f"1. {NAMES[0]}", "completed"), (f"2. {NAMES[0]}: limit: answer", "running")]
    progress = progress_of(steps, [failed])
    assert (progress.iteration, progress.path) == (1, (NAMES[0],))
    drawn = draw(graph_of([(NAMES[0], "ABORT")]), progress)
    assert [line.way.taken for line in drawn.lines] == [0]
    assert [box.visits for box in drawn.boxes if box.node.name == "ABORT"] == [1]
    led = progress_of(steps, [failed | {"kind": "step_transition"}])
    assert (led.taken, led.aborts) == ({(NAMES[0], "ABORT"): 1}, 0)


@settings(max_examples=40)
@given(st.text(max_size=40), st.integers(2, 30))
def test_a_shortened_text_fits(text: str, letters: int) -> None:
    assert width_of(shortened(text, letters)) <= letters


def test_events_of_flows_say_what_happened() -> None:
    told = {"from": "a", "to": "b", "condition": "good", "method": "tag", "rule": 2}
    assert (words_of("flow:transition", told), how_of(told)) == ("a → b: good", "by the agent's tag, rule 2")
    assert words_of("flow:transition", {"from": "a", "sub": "s", "to": None, "condition": "good"}) == "a / s: good"
    aborted = {"from": "a", "to": "ABORT", "kind": "step_error", "reason": "It broke"}
    assert (words_of("flow:transition", aborted), how_of(aborted)) == (
        "a → ABORT: It broke",
        "aborted: the step failed",
    )
    assert words_of("flow:loop", {"step": "a", "count": 11, "action": "warn"}) == "a ran 11 times in a row (warn)"
    cycle = {"cycle": ["a", "b"], "threshold": 2, "verdict": None}
    assert words_of("flow:loop", cycle) == "a → b, 2 times: the judge chose nothing"
    assert words_of("flow:limit", {"iteration": 3, "max": 3, "granted": 0}) == "3 of 3 iterations: no more granted"
    blocked = {"step": "a", "prompt": "Which\nday?", "answered": True}
    assert words_of("flow:blocked", blocked) == "a asks: Which day? (answered)"
    assert words_of("flow:blocked", blocked | {"by": "agent"}) == "a asks: Which day? (answered by an agent)"
    assert words_of("artifact:save", {"name": "plan.md", "version": 2}) == "plan.md version 2"
