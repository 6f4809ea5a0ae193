"""Whatever the flow and its scenario are: a run goes the way that a naive interpreter goes."""

from typing import Any

import hypothesis
import pytest
from hypothesis import strategies as st

from flows.agents.spec import Flow
from tests.agents import naive
from tests.agents.naive_flow import Flow as NaiveFlow
from tests.agents.played import begun, ended, matched, told

pytestmark = pytest.mark.django_db(transaction=True)

WHENS: naive.Whens = {
    "when(context.iteration > 3)": lambda context: context["iteration"] > 3,
    "when(context.step_iteration == 2)": lambda context: context["step_iteration"] == 2,
    "when(context.vars.absent == 1)": lambda context: context["vars"]["absent"] == 1,
}
STEPS = ("one", "two", "three")
SUBS = tuple(f"{step}.{sub}" for step in STEPS for sub in "ab")
labels = st.sampled_from(["good", "bad"])
alone = labels | labels.map(lambda text: f'ai("{text}")') | st.sampled_from(sorted(WHENS))
aggregates = st.sampled_from(['all("good")', 'any("bad")', 'any("error")', 'all("good", "bad")'])
targets = st.sampled_from([*STEPS, *STEPS, "COMPLETE", "COMPLETE", "ABORT"])
every = st.tuples(*(st.integers(1, 3) for _ in [*STEPS, *SUBS])).map(
    lambda numbers: " ".join(f"[{name}:{number}]" for name, number in zip([*STEPS, *SUBS], numbers, strict=True))
)
contents = st.just("words") | every | every.map(str.upper)
statuses = st.sampled_from([{}] * 24 + [{"status": "error"}, {"status": "blocked"}])


def rules(conditions: st.SearchStrategy[str], **more: Any) -> st.SearchStrategy[list[dict[str, Any]]]:
    some = st.lists(st.fixed_dictionaries({"condition": conditions, **more}), min_size=1, max_size=3)
    return some | some | some | st.just([])


def with_default(step: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return step | step | st.builds(lambda one, target: {**one, "default": target}, step, targets)


def agent(name: str, **more: Any) -> st.SearchStrategy[dict[str, Any]]:
    persona = st.just(name.split(".")[-1])
    return st.fixed_dictionaries({"name": st.just(name), "persona": persona, "rules": rules(alone, **more)})


def parallel(name: str) -> st.SearchStrategy[dict[str, Any]]:
    subs = st.tuples(agent(f"{name}.a"), agent(f"{name}.b")).map(list)
    chosen = rules(aggregates | aggregates | alone, next=targets)
    return st.fixed_dictionaries({"name": st.just(name), "parallel": subs, "rules": chosen})


monitors = st.fixed_dictionaries(
    {"cycle": st.sampled_from([["one"], ["one", "two"]]), "threshold": st.integers(1, 2),
     "targets": st.lists(st.sampled_from([*STEPS, "COMPLETE"]), min_size=2, max_size=2)}
)  # fmt: skip
documents = st.fixed_dictionaries(
    {
        "steps": st.tuples(
            *(with_default(agent(name, next=targets) | parallel(name)) for name in STEPS)
        ).map(list),
        "max_steps": st.integers(3, 6), "max_same": st.integers(2, 4),
        "rule_order": st.sampled_from(["default", "strict"]),
    },
    optional={"monitor": monitors},
)  # fmt: skip
verdicts = st.integers(0, 3).map(lambda number: {"persona": "judge", "content": f"[JUDGE:{number}]"})
said = st.builds(
    lambda persona, content, status: {"persona": persona, "content": content, **status},
    st.sampled_from([*STEPS, "a", "b"]), contents, statuses,
)  # fmt: skip
anybody = st.builds(lambda content, status: {"content": content, **status}, contents, statuses)
scenarios = st.tuples(
    st.lists(verdicts, max_size=8), st.lists(said, max_size=6), st.lists(anybody, min_size=4, max_size=10)
)


def as_flow(document: dict[str, Any]) -> Flow:
    """The document as a definition: not through the loader, which refuses steps that no rule leads to."""
    made = {key: document[key] for key in ("steps", "max_steps", "rule_order")}
    monitor = document.get("monitor")
    if monitor is not None:
        judged = [{"condition": f"it is {place}", "next": target} for place, target in enumerate(monitor["targets"])]
        made["loop_monitors"] = [{**monitor, "judge": {"rules": judged}}]
        del made["loop_monitors"][0]["targets"]
    detection = {"max_consecutive_same_step": document["max_same"], "action": "abort"}
    return Flow.model_validate({"name": "any", "initial_step": STEPS[0], "loop_detection": detection, **made})


@hypothesis.settings(max_examples=20, phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate])
@hypothesis.given(documents, scenarios)
def test_a_run_goes_the_way_of_the_naive_interpreter(document: dict[str, Any], scenario: Any) -> None:
    entries = [entry for part in scenario for entry in part]
    expected = NaiveFlow(document, entries, WHENS).run()
    run = ended(begun(as_flow(document), entries))
    found = told(run)
    assert (found["kind"], found["path"], matched(run)) == expected
    assert run.status == ("completed" if expected.reason is None else "failed")
