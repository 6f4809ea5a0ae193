"""Whatever stands in a document: it is a flow, or it is refused with lines and remedies, and never anything else."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flows.agents.errors import FlowProblem, InvalidFlow
from flows.agents.loader import as_document, load
from flows.agents.spec import Flow

WHOLE: dict[str, Any] = {
    "name": "f", "version": "1", "max_steps": 5, "workspace": "folder", "budget": {"tokens": 5}, "agui": True,
    "personas": {"p": {"prompt": "You are p.", "profile": "main"}, "q": "You are q."},
    "policies": {"brief": "Be brief."}, "schemas": {"s": {"type": "object", "properties": {"n": {"type": "integer"}}}},
    "subflow": {"callable": True, "params": {"v": {"default": "x"}}, "returns": ["fine"]},
    "loop_monitors": [
        {"cycle": ["a", "b"], "threshold": 2, "judge": {"rules": [{"condition": "no", "next": "ABORT"}]}},
    ],
    "steps": [
        {"name": "a", "persona": "p", "instruction": ["Do {task} as {var:v}", "{structured:a.n}"], "report": "r.md",
         "policy": "brief", "structured_output": {"schema_ref": "s"}, "quality_gates": ["Good."],
         "rules": [{"condition": "when(structured.a.n > 1)", "next": "b"}, {"condition": "x", "return": "fine"}]},
        {"name": "b", "parallel": [
            {"name": "c", "persona": "q", "rules": [{"condition": "ok"}]},
            {"name": "d", "ask": {"title": "May I?", "kind": "approval"}, "rules": [{"condition": "approved"}]}],
         "rules": [{"condition": 'any("ok", "error")', "next": "a"}], "default": "COMPLETE"},
    ],
}  # fmt: skip

VALUES = st.one_of(
    st.sampled_from(
        ["COMPLETE", "a", "c", "when(", 'all("ok")', "when(true)", "{var:w}", "{context:a[}", "x.md", "../x.md", "f"]
    ),
    st.recursive(
        st.none() | st.booleans() | st.integers(-2, 2) | st.floats(0, 1) | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["name", "next", "a"]), inner),
        max_leaves=4,
    ),
)


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every container with every key or index of it."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in pairs:
        yield value, key
        yield from places(part)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(st.integers(0, 200), VALUES), max_size=3))
def test_any_change_of_a_flow_gives_a_flow_or_a_refusal(changes: list[tuple[int, Any]]) -> None:
    document = json.loads(json.dumps(WHOLE))
    for number, value in changes:
        if found := list(places(document)):
            container, key = found[number % len(found)]
            container[key] = value
    problems: Sequence[FlowProblem] = ()
    try:
        flow = load(json.dumps(document, indent=1))
        assert Flow.model_validate(as_document(flow)) == flow
    except InvalidFlow as exc:
        problems = exc.problems
    assert all(one.line > 0 and one.remedy.endswith(".") for one in problems), problems


def test_the_flow_itself_is_one() -> None:
    assert load(json.dumps(WHOLE)).step("b") is not None
