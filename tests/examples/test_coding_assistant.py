"""The example `coding-assistant`: a plan, a search of real files, a diff for each, and nothing applied unasked."""

import ast
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User

from examples.code_review.diff import parse_diff
from examples.code_review.patching import versions_of
from examples.repository_report.folder import own_source
from hitl import answers
from runs import jobs
from runs.models import Event, Run, Step
from runs.testing import drain
from tests.examples.conftest import Asked

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
    assert run.output["unchanged"] == ["deep/number.py"]
    assert (run.output["answered_by"], run.output["decision"]) == ("scripted provider", "not asked")
    assert (folder / "sum.py").read_text() == SOURCE
    assert names(run) == [
        "list-folders", "analyse-task", "search-code",
        "read deep/number.py", "propose deep/number.py", "diff deep/number.py",
        "read sum.py", "propose sum.py", "diff sum.py",
    ]  # fmt: skip
    assert [event.data["current"] for event in run.events.filter(type="run:progress")] == [1, 2, 3]
    said = Event.objects.filter(run=run, type="log:write").values_list("data__message", flat=True)
    assert list(said) == ["Answers of this run come from the scripted provider, which is no model."]


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
