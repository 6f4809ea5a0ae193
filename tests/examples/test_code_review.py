"""The example `code-review`: analyses a change, asks, then applies it to copies or revises it."""

import html
import re
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from examples.repository_report.folder import own_source
from hitl import answers
from hitl.errors import MayNotAnswer
from runs import jobs
from runs.errors import InvalidInput
from runs.models import Run, Step
from runs.testing import advance, drain
from tests.examples.conftest import Asked, question_of

DIFF = "--- a/a.py\n+++ b/a.py\n@@ -1 +1,2 @@\n+import os\n x = 1\n--- /dev/null\n+++ b/b.txt\n@@ -0,0 +1 @@\n+b\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "source"
    made.mkdir()
    (made / "a.py").write_text("x = 1\n")
    return made


def names(run: Run) -> list[str]:
    return list(Step.objects.filter(run=run).order_by("id").values_list("name", flat=True))


def ended(run: Run) -> dict[str, Any]:
    drain()
    run.refresh_from_db()
    assert run.status == "completed", run.error
    return dict(run.output)


def test_the_sample_change_of_perdures_own_source_is_analysed(asked: Asked, alice: User) -> None:
    question = asked("code-review")
    assert question.title == "Apply the change to 3 files?"
    assert {row["rule"] for row in question.context["findings"]} >= {"missing-docstring", "F401", "E711"}
    assert "+++ b/examples/pieces.py" in question.context["diff"]
    assert abs(question.deadline - question.created_at - timedelta(days=7)) < timedelta(minutes=1)
    assert not (own_source() / "examples" / "lift_off.py").exists()
    browser = Client()
    browser.force_login(alice)
    for path in (f"/questions/{question.id}/", f"/runs/{question.run_id}/"):
        page = browser.get(path).content.decode()
        assert 'emit("lift-off\\n")' in html.unescape(re.sub("<[^>]+>", "", page))
        assert "<caption>Findings</caption>" in page
        assert "examples/pieces.py:17" in page


def test_an_approved_change_is_written_beside_the_source(asked: Asked, alice: User, folder: Path) -> None:
    question = asked("code-review", folder=str(folder), diff=DIFF)
    answers.answer(question.id, alice, "approve", comment="Fine.", digest=question.digest)
    output = ended(question.run)
    assert (output["decision"], output["by"], output["comment"]) == ("applied", ["alice"], "Fine.")
    written = Path(output["folder"])
    assert (written / "files" / "a.py").read_text() == "import os\nx = 1\n"
    assert (written / "files" / "b.txt").read_text() == "b\n"
    assert (written / "change.diff").read_text() == question.context["diff"]
    assert [path.name for path in folder.iterdir()] == ["a.py"]
    assert (folder / "a.py").read_text() == "x = 1\n"
    assert names(question.run) == [
        "read-diff", "analyse a.py", "lint a.py", "analyse b.txt", "patch:model-review", "model-review", "report",
        "approval", "approval: answer", "approval: outcome", "apply",
    ]  # fmt: skip


def test_feedback_is_taken_up_and_asked_again(asked: Asked, alice: User, folder: Path) -> None:
    question = asked("code-review", folder=str(folder), diff=DIFF)
    answers.answer(question.id, alice, "deny", comment="Drop b.txt.", digest=question.digest)
    again = question_of(question.run)
    assert "b.txt is left out" in again.body
    assert "b.txt" not in again.context["diff"]
    assert Step.objects.get(run=question.run, name="report (round 2)").output.startswith("# Review of 1 file\n")
    answers.answer(again.id, alice, "approve", digest=again.digest)
    output = ended(question.run)
    assert (output["decision"], output["rounds"], len(output["files"])) == ("applied", 2, 1)


def test_a_change_of_which_the_feedback_leaves_nothing_is_denied(asked: Asked, alice: User, folder: Path) -> None:
    question = asked("code-review", folder=str(folder), diff=DIFF)
    # the import was all that changed in a.py
    answers.answer(question.id, alice, "deny", comment="Fix F401, drop b.txt; y = 2?", digest=question.digest)
    assert ended(question.run)["decision"] == "denied"


def test_it_is_asked_as_often_as_there_are_rounds(asked: Asked, alice: User, folder: Path) -> None:
    question = asked("code-review", folder=str(folder), diff=DIFF, rounds=2)
    answers.answer(question.id, alice, "deny", comment="I do not like it.", digest=question.digest)
    again = question_of(question.run)
    assert "Done with the feedback: nothing" in again.body
    answers.answer(again.id, alice, "deny", comment="Still not.", digest=again.digest)
    output = ended(question.run)
    assert (output["decision"], output["comment"], output["files"]) == ("denied", "Still not.", [])


def test_a_denial_without_a_word_ends_it(asked: Asked, alice: User, folder: Path) -> None:
    question = asked("code-review", folder=str(folder), diff=DIFF)
    answers.answer(question.id, alice, "deny", digest=question.digest)
    assert ended(question.run)["rounds"] == 1


def test_who_started_it_decides_only_where_no_reviewer_is_named(
    asked: Asked, alice: User, sara: User, folder: Path
) -> None:
    question = asked("code-review", folder=str(folder), diff=DIFF, reviewers=["alice"])
    with pytest.raises(MayNotAnswer):
        answers.answer(question.id, sara, "approve", digest=question.digest)
    question = asked("code-review", folder=str(folder), diff=DIFF)
    answers.answer(question.id, sara, "approve", digest=question.digest)
    assert ended(question.run)["by"] == ["sara"]


def test_the_reviewers_are_told_and_reminded_until_they_answer(
    asked: Asked, alice: User, folder: Path, settings: Any
) -> None:
    settings.HITL_EMAIL = True
    User.objects.update(email="somebody@example.org")
    question = asked("code-review", folder=str(folder), diff=DIFF, reviewers=["alice"])
    assert list(question.deliveries.values_list("about", "to__username")) == [("asked", "alice")]
    advance(timedelta(days=2, seconds=1))
    drain()
    assert list(question.deliveries.values_list("about", "to__username")) == [("reminded", "alice"), ("asked", "alice")]
    answers.answer(question.id, alice, "approve", digest=question.digest)
    assert ended(question.run)["by"] == ["alice"]


def test_six_days_later_it_still_waits_and_goes_on_and_after_seven_it_is_over(
    asked: Asked, alice: User, folder: Path
) -> None:
    question = asked("code-review", folder=str(folder), diff=DIFF)
    late = asked("code-review", folder=str(folder), diff=DIFF)
    advance(timedelta(days=6))
    drain()
    waiting = jobs.get(question.run_id)
    assert (waiting.status, waiting.lease_worker) == ("waiting", None)
    answers.answer(question.id, alice, "approve", digest=question.digest)
    assert ended(question.run)["decision"] == "applied"
    assert names(question.run).count("read-diff") == 1
    advance(timedelta(days=1, seconds=1))
    output = ended(late.run)
    assert (output["decision"], output["by"], output["files"]) == ("expired", [], [])


def test_a_file_that_changed_since_its_review_is_not_written(asked: Asked, alice: User, folder: Path) -> None:
    question = asked("code-review", folder=str(folder), diff=DIFF)
    (folder / "a.py").write_text("x = 1\ny = 2\n")
    answers.answer(question.id, alice, "approve", digest=question.digest)
    drain()
    run = jobs.get(question.run_id)
    assert (run.status, "not as it was reviewed" in run.error["message"]) == ("failed", True)


def test_without_ruff_it_fails_and_says_what_to_install(
    asked: Asked, sara: User, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == "ruff" else find_spec(name))
    run = jobs.start("code-review", {"folder": str(folder), "diff": DIFF}, owner=sara).run
    drain()
    run.refresh_from_db()
    assert run.status == "failed"
    assert "pip install ruff" in run.error["message"]


@pytest.mark.parametrize(
    ("input", "says"),
    [({"diff": "nothing"}, "changes no file"), ({"folder": "here"}, "absolute"), ({"rounds": 0}, "greater than")],
)
def test_input_that_cannot_be_reviewed_starts_no_run(db: None, input: dict[str, Any], says: str) -> None:
    with pytest.raises(InvalidInput, match=says):
        jobs.start("code-review", input)
    assert not Run.objects.exists()
