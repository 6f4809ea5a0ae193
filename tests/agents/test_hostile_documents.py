"""Documents that stand for far more than they are long: refused before they are written out."""

import pytest

from flows.agents.errors import InvalidFlow
from flows.agents.loader import load

BIG = "z " * 150_000
STEP = "  - {name: a%d, agent: You do it., instruction: %s}\n"


def problems_of(text: str) -> list[str]:
    with pytest.raises(InvalidFlow) as refused:
        load(text)
    return [str(one) for one in refused.value.problems]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (f"name: f\nknowledge: {{k: &a '{BIG}', l: *a}}\nsteps:\n{STEP % (1, 'Do it.')}", "aliases written out"),
        (
            f"name: f\ninstructions: {{k: '{BIG}'}}\nsteps:\n" + "".join(STEP % (n, "k") for n in range(4)),
            "longer than 900,000 characters together",
        ),
        (f"name: f\nsteps:\n{STEP % (1, [f'part {n}' for n in range(51)])}", "at most 50 items, not 51"),
        (
            "name: f\nsteps:\n- name: a\n  parallel:\n" + "".join(STEP % (n, "Do it.") for n in range(101)),
            "at most 100 items, not 101",
        ),
        (
            "name: f\nloop_monitors: [{cycle: [a1], threshold: 1000000000000, judge: {rules: [{condition: x, "
            f"next: a1}}]}}}}]\nsteps:\n{STEP % (1, 'Do it.')}",
            "less than or equal to 1000",
        ),
    ],
    ids=["aliases", "shared texts", "parts", "sub-steps", "rounds"],
)
def test_what_would_grow_without_end_is_refused(text: str, told: str) -> None:
    assert told in problems_of(text)[0]


def test_a_policy_named_twice_is_told_once() -> None:
    flow = load("name: f\npolicies: {p: Be kind.}\nsteps: [{name: a, agent: You do it., policy: [p, p]}]")
    assert flow.steps[0].policy == ("p",)
