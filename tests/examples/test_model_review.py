"""`code-review` asks a model too: its review is shown, and where it fails the review goes on without it."""

from pathlib import Path

import pytest
from django.contrib.auth.models import User

from hitl import answers
from runs.jobs import StepContext
from runs.models import Step
from runs.testing import crash_after, drain
from tests.examples.conftest import Asked, question_of
from tests.examples.test_code_review import DIFF, ended, folder, names
from tests.vendors.process import FakeVendor

__all__ = ["folder"]
ANSWER = {"summary": "An import | too *many*.", "remarks": [{"place": "a.py:1", "remark": "os is not used."}]}


def test_a_models_review_is_shown_in_the_report_and_to_the_reviewers(
    asked: Asked, alice: User, folder: Path, model: FakeVendor
) -> None:
    model.script([{"match": "Review this change", "json": ANSWER}])
    question = asked("code-review", folder=str(folder), diff=DIFF)
    assert "Review (coder-1 (openai)): An import ¦ too *many*." in question.body
    assert question.context["remarks"] == ANSWER["remarks"]
    assert "- a.py:1 F401: " in model.calls()[0]["user_text"]
    assert "+import os" in model.calls()[0]["user_text"]
    answers.answer(question.id, alice, "approve", digest=question.digest)
    output = ended(question.run)
    assert "| `a.py:1` | os is not used. |" in output["report"]
    assert (output["reviewed_by"], len(model.calls())) == ("coder-1 (openai)", 1)


def test_the_scripted_provider_says_that_it_is_one(asked: Asked, folder: Path) -> None:
    question = asked("code-review", folder=str(folder), diff=DIFF)
    assert "Review (scripted provider): The change is not ready: the tools find something in it, first" in question.body
    [remark] = question.context["remarks"]
    first = question.context["findings"][0]
    assert remark == {"place": first["place"], "remark": first["finding"]}


@pytest.mark.parametrize(("fault", "says"), [("authentication", "AuthenticationFailed"), ("refusal", "Refused")])
def test_a_review_goes_on_without_the_model_that_fails(
    asked: Asked, alice: User, folder: Path, model: FakeVendor, fault: str, says: str
) -> None:
    model.script([{"fault": fault}])
    question = asked("code-review", folder=str(folder), diff=DIFF)
    assert f"No model reviewed the change: {says}: " in question.body
    assert Step.objects.get(run=question.run, name="model-review").status == "failed"
    answers.answer(question.id, alice, "approve", digest=question.digest)
    output = ended(question.run)
    assert (output["decision"], output["reviewed_by"]) == ("applied", "")
    assert f"No model reviewed the change: {says}: " in output["report"]


def test_a_run_that_was_begun_before_there_was_such_a_review_goes_on_and_has_it_in_its_next_round(
    asked: Asked, alice: User, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as before:
        before.setattr(StepContext, "patched", lambda step, name: False)
        question = asked("code-review", folder=str(folder), diff=DIFF)
    assert "model-review" not in names(question.run)
    answers.answer(question.id, alice, "deny", comment="Drop b.txt.", digest=question.digest)
    again = question_of(question.run)
    assert "Review (scripted provider)" in again.body
    assert [name for name in names(question.run) if "model" in name] == [
        "patch:model-review (round 2)", "model-review (round 2)"
    ]  # fmt: skip


def test_a_crash_after_the_models_review_does_not_repeat_it(
    asked: Asked, alice: User, folder: Path, model: FakeVendor
) -> None:
    model.script([{"match": "Review this change", "json": ANSWER}])
    with crash_after("model-review"), pytest.raises(AssertionError):  # it died before its question
        asked("code-review", folder=str(folder), diff=DIFF)
    drain()
    assert len(model.calls()) == 1
