"""The example `coding-agent`: it edits real files with tools, has the change reviewed, and goes on from there."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from examples.coding_agent.project import JOB
from runs import jobs
from runs.models import Attempt, Run, Step
from runs.testing import advance, crash_after, drain

TASK = 'Replace "Hello" by "Good morning" in pkg/greeting.py.'
SOURCE = 'def greet(name):\n    return "Hello, " + name\n'


@pytest.fixture
def project(tmp_path: Path, settings: Any) -> Path:
    made = tmp_path / "allowed" / "shop"
    (made / "pkg").mkdir(parents=True)
    (made / "pkg" / "greeting.py").write_text(SOURCE)
    settings.LLM_TOOL_FOLDERS = (str(tmp_path / "allowed"),)
    return made


def begin(**input: Any) -> Run:
    run = jobs.start(JOB, {"task": TASK} | input).run
    drain()
    run.refresh_from_db()
    return run


def review(run: Run, approved: bool, feedback: str = "") -> Run:
    jobs.signal(run.id, "review", {"approved": approved, "feedback": feedback})
    drain()
    run.refresh_from_db()
    return run


def test_it_edits_the_files_of_a_folder_and_waits_for_the_review_without_a_worker(here: None, project: Path) -> None:
    run = begin(projectId="shop")
    assert (run.status, run.reason) == ("waiting", "signal review"), run.error
    assert (project / "pkg" / "greeting.py").read_text() == SOURCE.replace("Hello", "Good morning")
    assert run.progress == {"current": 4, "total": 30, "message": "Iteration 4"}
    diff = jobs.read_artifact(run.id, "changes.diff").decode()
    assert "--- a/pkg/greeting.py" in diff
    assert '-    return "Hello, " + name\n+    return "Good morning, " + name\n' in diff
    ended = review(run, True, "Thank you.")
    assert ended.status == "completed", ended.error
    told = ended.output
    assert (told["success"], told["decision"], told["iterations"]) == (True, "approved", 5)
    assert told["message"] == "The change is made and reviewed: Approved.\n\nThank you."
    assert told["edits"] == [{"file": "pkg/greeting.py", "operation": "update", "added": 1, "removed": 1}]
    assert [one["tool"] for one in told["steps"]] == ["search_files", "read_file", "edit_file", "ask_for_review"]
    assert (told["folder"], told["answered_by"]) == (str(project), "scripted provider")


def test_feedback_is_worked_in_and_reviewed_again(here: None, project: Path) -> None:
    run = review(begin(projectId=str(project)), False, 'Replace "Good morning" by "Good day" in pkg/greeting.py')
    assert (run.status, run.reason) == ("waiting", "signal review")
    assert (project / "pkg" / "greeting.py").read_text() == SOURCE.replace("Hello", "Good day")
    assert [one.version for one in jobs.artifacts(run.id)] == [1, 2]
    assert review(run, True).output["decision"] == "approved"


def test_nobody_reviews_it_and_what_was_changed_stays(here: None, project: Path) -> None:
    run = begin(projectId="shop")
    advance(timedelta(days=7, seconds=1))
    drain()
    run.refresh_from_db()
    assert (run.status, run.output["decision"], run.output["success"]) == ("completed", "expired", False)
    assert "Good morning" in (project / "pkg" / "greeting.py").read_text()


def test_it_stops_when_its_iterations_are_spent(here: None, project: Path) -> None:
    run = begin(projectId="shop", metadata={"maxIterations": 2})
    assert (run.output["decision"], run.output["iterations"]) == ("out of iterations", 2)
    assert (project / "pkg" / "greeting.py").read_text() == SOURCE


def test_a_task_without_a_rule_changes_nothing_and_needs_no_review(here: None, project: Path) -> None:
    run = begin(projectId="shop", task="Make it faster.")
    assert (run.output["decision"], run.output["edits"]) == ("nothing to review", [])
    assert "The scripted provider is no model" in run.output["message"]


def test_without_a_project_it_works_in_a_copy_of_its_own(here: None, settings: Any) -> None:
    settings.LLM_TOOL_FOLDERS = ()
    run = jobs.start(JOB, {}).run
    drain()
    ended = review(run, True)
    folder = Path(ended.output["folder"])
    assert folder.is_relative_to(Path(settings.DATA_DIR) / "work" / JOB / str(run.id))
    assert "Good morning, {name}!" in (folder / "greeting.py").read_text()


@pytest.mark.parametrize("name", ["..", "/etc", "shop/../..", "nothing", "link", "shop/pkg/greeting.py"])
def test_a_folder_outside_of_those_that_are_allowed_is_no_project(here: None, project: Path, name: str) -> None:
    (project.parent / "link").symlink_to("/etc")
    run = begin(projectId=name)
    assert (run.status, run.error["type"]) == ("failed", "StepFailed")
    assert "ProjectNotAllowed" in run.error["message"]
    assert Attempt.objects.filter(run=run, step_name="open-project").count() <= 1


def test_the_data_directory_is_no_project(here: None, settings: Any) -> None:
    settings.LLM_TOOL_FOLDERS = (str(settings.DATA_DIR),)
    assert "ProjectNotAllowed" in begin(projectId=".").error["message"]


def test_a_model_that_nobody_allowed_is_not_asked(here: None, project: Path) -> None:
    run = begin(projectId="shop", metadata={"llmConfig": {"provider": "expensive"}})
    assert (run.status, run.error["type"]) == ("failed", "ProfileNotFound")


@pytest.mark.parametrize(
    ("step", "before_record"),
    [("work 1 #3", True), ("work 1: edit_file#3.1", True), ("work 1: edit_file#3.1", False), ("save changes 1", True)],
)
def test_a_worker_that_dies_makes_no_difference_to_the_change(
    here: None, project: Path, step: str, before_record: bool
) -> None:
    run = jobs.start(JOB, {"projectId": "shop", "task": TASK}).run
    with crash_after(step, before_record=before_record):
        drain()
    drain()
    assert "-    return" in jobs.read_artifact(run.id, "changes.diff").decode()
    ended = review(run, True)
    assert (ended.output["decision"], ended.output["iterations"]) == ("approved", 5)
    assert (project / "pkg" / "greeting.py").read_text() == SOURCE.replace("Hello", "Good morning")
    asked = Step.objects.filter(run=run, kind="stream").exclude(name=step)
    assert set(asked.values_list("attempts", flat=True)) == {1}
