"""What is put in for `{task}` and the others, and that nothing is put in for what was put in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.agents.instructions import Situation
from flows.agents.instructions.texts_en import ENGLISH
from flows.agents.instructions.variables import PLAIN, filled, has, placeholders, split_reference

SITUATION = Situation(
    task="Add a button", iteration=4, step_iteration=2, max_steps=9, previous="It is {done}", user_inputs=["a", "b"],
    reports={"plan.md": "# Plan"}, variables={"team": "Shop"},
    structured={"review": {"approved": False, "items": [{"file": "a.py"}]}, "review.all": {"items": []}},
    context={"count": {"status": "done", "content": "3 files", "output": {"files": 3, "status": "x"}, "matched": "ok"}},
)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("{task}", "Add a button"),
        ("{iteration}/{max_steps}/{max_iterations} {step_iteration}", "4/9/9 2"),
        ("{previous_response}", "It is ｛done｝"),  # noqa: RUF001
        ("{user_inputs}", "a\nb"),
        ("{report_dir}", "the artefacts of this run"),
        ("{review_scope}", "everything that the request is about"),
        ("{report:plan.md}", "# Plan"),
        ("{report:other.md}", "(not there yet)"),
        ("{var:team}", "Shop"),
        ("{structured:review.approved}", "false"),
        ("{structured:review.items[0].file}", "a.py"),
        ("{structured:review.items.0.file}", "a.py"),
        ("{structured:review.items.length}", "1"),
        ("{structured:review.items}", '[｛"file": "a.py"｝]'),  # noqa: RUF001
        ("{structured:review.all.items.length}", "0"),
        ("{structured:review.none}", "(not there yet)"),
        ("{structured:nobody.x}", "(not there yet)"),
        ("{context:count.files}", "3"),
        ("{context:count.output.files}", "3"),
        ("{context:count.status} {context:count.matched} {context:count.content}", "done ok 3 files"),
        ("{context:count.output}", '｛"files": 3, "status": "x"｝'),  # noqa: RUF001
        ("{unknown} {unknown:x} {} { task } {report} {task:x}", "{unknown} {unknown:x} {} { task } {report} {task:x}"),
    ],
)
def test_each_variable_stands_for_its_value(text: str, wanted: str):
    assert filled(text, SITUATION, ENGLISH) == wanted


@given(st.text(alphabet="{}task:iter_on12", max_size=40))
def test_nothing_is_put_in_for_what_people_and_agents_said(said: str):
    situation = Situation(task=said, iteration=7, previous=said, user_inputs=[said], reports={"r": said})
    shown = said.translate({ord("{"): "\uff5b", ord("}"): "\uff5d"})
    for text in ("{task}", "{previous_response}", "{user_inputs}", "{report:r}"):
        assert filled(text, situation, ENGLISH) == shown


def test_placeholders_are_found_with_their_lines():
    found = placeholders("Do {task}\nand {report:plan.md}, {oops}")
    assert [(str(one), one.line, one.is_known) for one in found] == [
        ("{task}", 1, True), ("{report:plan.md}", 2, True), ("{oops}", 2, False),
    ]  # fmt: skip
    assert has("x {task}", "task")
    assert not has("x {task:y}", "task")
    assert all(placeholders(f"{{{name}}}")[0].is_known for name in PLAIN)


def test_a_reference_belongs_to_the_step_with_the_longest_name():
    assert split_reference(["a", "a.b"], "a.b.c") == ("a.b", "c")
    assert split_reference(["a", "a.b"], "a.bc") == ("a", "bc")
    assert split_reference(["a"], "ab.c") is None
