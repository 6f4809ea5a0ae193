"""The example `coding-assistant`: a plan, a search of real files, a diff for each, and nothing applied unasked."""

import ast
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User

from examples.code_review.diff import parse_diff
from examples.code_review.patching import versions_of
from examples.coding_assistant.editing import EditMisfit, edited, hunks_of, unified_diff
from examples.coding_assistant.schema import Edit
from examples.repository_report.folder import own_source
from hitl import answers
from runs import jobs
from runs.models import Event, Run, Step
from runs.testing import crash_after, drain
from tests.examples.conftest import Asked
from tests.vendors.process import FakeVendor

TASK = 'Add the docstring "Twice as much." to `double`.'
SOURCE = "import os\n\n\nclass Sum:\n    def double(self, x: int) -> int:\n        return 2 * x\n"


@pytest.fixture
def folder(tmp_path: Path, settings: Any) -> Path:
    made = tmp_path / "source"
    (made / "deep").mkdir(parents=True)
    (made / "sum.py").write_text(SOURCE)
    (made / "deep" / "number.py").write_text('def double(x):\n    """Said already."""\n    return x + x\n')
    (made / "other.py").write_text("y = 1\n")
    settings.LLM_TOOL_FOLDERS = (str(tmp_path),)
    return made


def ended(**input: Any) -> Run:
    run = jobs.start("coding-assistant", input).run
    drain()
    run.refresh_from_db()
    return run


def names(run: Run) -> list[str]:
    return list(Step.objects.filter(run=run).order_by("id").values_list("name", flat=True))


def test_a_docstring_is_proposed_where_it_is_missing(here: None, folder: Path) -> None:
    run = ended(task=TASK, folder=str(folder))
    assert run.status == "completed", run.error
    [change] = run.output["changes"]
    assert change["file"] == "sum.py"
    assert '+        """Twice as much."""\n' in change["diff"]
    note = "The scripted provider finds nothing here that it has a rule for."
    assert run.output["unchanged"] == [{"file": "deep/number.py", "note": note}]
    assert run.output["diff"] == change["diff"]
    assert (run.output["answered_by"], run.output["decision"]) == ("scripted provider", "not asked")
    assert (folder / "sum.py").read_text() == SOURCE
    assert names(run) == [
        "list-folders", "analyse-task", "search-code",
        "read deep/number.py", "propose deep/number.py",
        "read sum.py", "propose sum.py", "diff sum.py",
    ]  # fmt: skip
    assert [event.data["current"] for event in run.events.filter(type="run:progress")] == [1, 2, 3]
    said = Event.objects.filter(run=run, type="log:write").values_list("data__message", flat=True)
    assert sorted(said) == [
        "Answers of this run come from the scripted provider, which is no model.",
        f"deep/number.py stays as it is. {note}",
    ]


def test_the_sample_task_gives_diffs_that_apply_to_perdures_own_source(here: None) -> None:
    run = ended()
    assert run.status == "completed", run.error
    assert [change["file"] for change in run.output["changes"]] == [
        "runs/live/layers/postgresql.py", "runs/live/layers/sqlite.py"
    ]  # fmt: skip
    for change in run.output["changes"]:
        [read] = parse_diff(change["diff"])
        after = versions_of(str(own_source()), read).after
        assert after is not None
        found = [one for one in ast.walk(ast.parse(after)) if getattr(one, "name", "") == "make_transport"]
        assert [ast.get_docstring(one) for one in found if isinstance(one, ast.FunctionDef)] == [
            "A transport for the running loop."
        ]


PLAN = {"summary": "Triple it.", "steps": ["Change the factor."], "terms": ["def double("]}
EDIT = {"find": "return 2 * x", "replace": "return 3 * x"}
RULES = [
    {"match": "Plan this change", "reasoning": ["It is about double."], "json": PLAN},
    {"match": "File: sum.py", "json": {"edits": [EDIT], "note": "As asked."}},
    {"match": "Change one file", "json": {"edits": []}},
]


def test_a_model_of_the_one_setting_plans_and_proposes(here: None, folder: Path, model: FakeVendor) -> None:
    model.script(RULES)
    run = ended(task="Make double triple.", folder=str(folder))
    assert run.status == "completed", run.error
    assert run.output["answered_by"] == "coder-1 (openai)"
    assert run.output["plan"] == PLAN
    assert run.output["changes"][0]["diff"].endswith("-        return 2 * x\n+        return 3 * x\n")
    assert [call["model"] for call in model.calls()] == ["coder-1"] * 3
    said = Event.objects.filter(run=run, type="log:write").values_list("data__message", flat=True)
    assert list(said) == ["deep/number.py stays as it is. Nothing is to be changed."]


@pytest.mark.parametrize("step", ["analyse-task", "propose deep/number.py", "diff sum.py"])
def test_a_crash_between_two_steps_repeats_no_model_call(
    here: None, folder: Path, model: FakeVendor, step: str
) -> None:
    model.script(RULES)
    run = jobs.start("coding-assistant", {"task": "Make double triple.", "folder": str(folder)}).run
    with crash_after(step):
        drain()
    drain()
    run.refresh_from_db()
    assert run.status == "completed", run.error
    assert len(model.calls()) == 3
    assert model.stats()["repeated"] == []


def test_edits_that_do_not_fit_are_asked_for_once_more(here: None, folder: Path, model: FakeVendor) -> None:
    misfit = {"edits": [{"find": "return 9", "replace": ""}], "note": "Guessed."}
    model.script([*RULES[:1], {"match": "File: sum.py", "json": misfit}, *RULES[2:],
                  {"match": "These edits do not fit the file: what edit 1", "json": {"edits": [EDIT]}}])  # fmt: skip
    run = ended(task="Make double triple.", folder=str(folder))
    assert [change["file"] for change in run.output["changes"]] == ["sum.py"]
    assert "propose sum.py (again)" in names(run)


def test_edits_that_never_fit_leave_the_file_as_it_is_and_say_so(here: None, folder: Path, model: FakeVendor) -> None:
    misfit = {"edits": [{"find": "return", "replace": ""}, {"find": "x", "replace": ""}]}
    model.script([*RULES[:1], {"match": "", "json": misfit}])
    run = ended(task="Make double triple.", folder=str(folder), maximum_files=1)
    [unchanged] = run.output["unchanged"]
    assert (run.status, run.output["changes"], unchanged["file"]) == ("completed", [], "deep/number.py")
    assert "is in the file" in unchanged["note"]


def test_people_approve_before_the_changed_files_are_written(asked: Asked, alice: User, folder: Path) -> None:
    question = asked("coding-assistant", task=TASK, folder=str(folder), ask=True)
    assert "Proposed by: scripted provider." in question.body
    assert question.context["diff"].startswith("--- a/sum.py\n+++ b/sum.py\n")
    answers.answer(question.id, alice, "approve", digest=question.digest)
    drain()
    run = jobs.get(question.run_id)
    assert (run.status, run.output["decision"]) == ("completed", "applied")
    written = Path(run.output["folder"])
    assert '"""Twice as much."""' in (written / "files" / "sum.py").read_text()
    assert (folder / "sum.py").read_text() == SOURCE


def test_denied_changes_are_not_written(asked: Asked, alice: User, folder: Path) -> None:
    question = asked("coding-assistant", task=TASK, folder=str(folder), ask=True, reviewers=["alice"])
    answers.answer(question.id, alice, "deny", digest=question.digest)
    drain()
    assert (jobs.get(question.run_id).output["decision"], jobs.get(question.run_id).output["folder"]) == ("denied", "")


@pytest.mark.parametrize(
    ("input", "says"),
    [({"folder": "/etc"}, "outside of the folders"), ({"task": "Rename `no_such_thing_here`."}, "None of 3 files")],
)
def test_what_cannot_be_shown_or_found_fails_the_run_and_says_what_to_do(
    here: None, folder: Path, input: dict[str, Any], says: str
) -> None:
    run = ended(**({"folder": str(folder), "task": TASK} | input))
    assert run.status == "failed"
    assert says in run.error["message"]


def test_edits_are_put_in_place_together_or_refused() -> None:
    assert edited("abc", [Edit(find="c", replace="C"), Edit(find="a", replace="A")]) == "AbC"
    for edits in ([("x", "")], [("ab", "1"), ("bc", "2")]):
        with pytest.raises(EditMisfit):
            edited("abc", [Edit(find=find, replace=replace) for find, replace in edits])
    with pytest.raises(EditMisfit, match="2 times"):
        edited("aa", [Edit(find="a", replace="b")])


def test_a_diff_comes_in_hunks_and_tells_of_a_missing_newline() -> None:
    lines = "".join(f"{number}\n" for number in range(30))
    diff = unified_diff("a.py", f"{lines}end", f"new\n{lines}END")
    parts = hunks_of(diff)
    assert "".join(parts) == diff
    assert [part.count("\n@@ ") + part.startswith("@@ ") for part in parts] == [1, 1]
    assert parts[1].endswith("-end\n\\ No newline at end of file\n+END\n\\ No newline at end of file\n")
    assert unified_diff("a.py", lines, lines) == ""
