"""A crash at any step of a turn repeats no recorded call and asks nobody twice, also after tools were changed."""

import pytest
from django.contrib.auth.models import User

from hitl import answers
from hitl.models import Question
from runs import jobs
from runs.testing import crash_after, drain
from tests.llm_tools.conftest import Performs, contents, driven, question_of
from tests.llm_tools.jobs import called

CALLS = (("look_up", {"word": "a"}), ("send_mail", {"to": "bob"}), ("nothing", {}))


@pytest.mark.parametrize(
    "step",
    ["draft: calls#1", "draft: look_up#1.1", "draft: send_mail#1.2: approval"],
)
def test_a_crash_before_the_answer(performs: Performs, alice: User, step: str) -> None:
    with crash_after(step):
        run = performs(*CALLS)
    run = driven(run)
    assert run.status == "waiting"
    question = question_of(run)
    answers.answer(question.id, alice, "approve", digest=question.digest)
    assert contents(driven(run))[1] == "sent to bob: "
    assert (called["send_mail"], Question.objects.count()) == (1, 1)
    if step == "draft: look_up#1.1":  # otherwise the crash may have found it under way
        assert called["look_up"] == 1


@pytest.mark.parametrize("suffix", [": approval: answer", ": approval: outcome", ""])
def test_a_crash_after_the_answer(performs: Performs, alice: User, suffix: str) -> None:
    run = performs(*CALLS)
    question = question_of(run)
    answers.answer(question.id, alice, "approve", value={"to": "eve"}, digest=question.digest)
    with crash_after(f"draft: send_mail#1.2{suffix}"):
        drain()
    assert "sent to eve" in contents(driven(run))[1]
    assert called == {"look_up": 1, "send_mail": 1}
    assert Question.objects.count() == 1


def test_a_call_whose_result_was_not_written_is_made_again(performs: Performs) -> None:
    with crash_after("draft: look_up#1.1", before_record=True):
        run = performs(("look_up", {"word": "a"}))
    contents(driven(run))
    assert called == {"look_up": 2}


def test_what_was_planned_stands_though_the_tools_have_changed(
    performs: Performs, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = performs(*CALLS, tools=["look_up", "send_mail"])
    monkeypatch.setattr("flows.llm.turns._plan", None)  # a replay plans nothing
    monkeypatch.setattr("tests.llm_tools.jobs.ALL", ())
    question = question_of(run)
    answers.answer(question.id, alice, "approve", digest=question.digest)
    found = contents(driven(run))
    assert found[0].startswith('{"word":"a"')
    assert found[1].startswith("There is no tool 'send_mail'")
    assert called == {"look_up": 1}
    assert jobs.get(run.id).status == "completed"
