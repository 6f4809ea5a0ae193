"""The example `release-train`: three children at once, a substitute, a summary, and two people's approval."""

import hashlib
import zipfile
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import User

from examples.release_train import archive
from examples.release_train.schema import Release
from hitl import answers
from hitl.models import Question
from runs import jobs
from runs.models import Run
from runs.testing import advance, drain
from tests.examples.conftest import Asked


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "thing"
    (made / "src").mkdir(parents=True)
    (made / ".hidden").mkdir()
    (made / ".hidden" / "key").write_text("secret")
    (made / "src" / "a.py").write_text("import os\n")
    (made / "CHANGELOG.md").write_text("# Changelog\n\n## 1.3.0\n\n- New things.\n\n## 1.2.9\n\n- Old ones.\n")
    (made / "link").symlink_to("/etc/passwd")
    return made


def children(run: Run) -> dict[str, str]:
    return dict(Run.objects.filter(parent=run).values_list("job", "status"))


def decide(question: Question, by: User, decision: str = "approve") -> None:
    answers.answer(question.id, by, decision, digest=question.digest)


def ended(run: Run) -> dict[str, Any]:
    drain()
    run.refresh_from_db()
    assert run.status == "completed", run.error
    return dict(run.output)


def test_the_data_directory_is_not_packed(here: None, tmp_path: Path, folder: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "secret-key").write_text("secret")
    packed = archive.list_everything(Release(folder=str(tmp_path), version="1.0.0"))
    assert packed == ["thing/CHANGELOG.md", "thing/src/a.py"]


def test_two_people_publish_what_three_children_made(asked: Asked, sara: User, alice: User, folder: Path) -> None:
    question = asked("release-train", folder=str(folder), version="1.3.0")
    assert children(question.run) == dict.fromkeys(
        ["release-lint", "release-archive", "release-changelog"], "completed"
    )
    assert (question.title, question.quorum) == ("Publish 1.3.0?", 2)
    decide(question, sara)
    drain()
    assert jobs.get(question.run_id).status == "waiting"
    decide(question, alice)
    output = ended(question.run)
    assert (output["decision"], output["by"]) == ("published", ["sara", "alice"])
    assert "1 finding |" in output["report"]
    published = Path(output["folder"])
    assert (published / "NOTES.md").read_text() == "- New things.\n"
    packed = published / "thing-1.3.0.zip"
    assert zipfile.ZipFile(packed).namelist() == ["thing-1.3.0/CHANGELOG.md", "thing-1.3.0/src/a.py"]
    digest = hashlib.sha256(packed.read_bytes()).hexdigest()
    assert (published / "SHA256SUMS").read_text() == f"{digest}  thing-1.3.0.zip\n"


def test_a_changelog_that_says_nothing_yet_has_its_notes_drafted(
    asked: Asked, sara: User, alice: User, folder: Path
) -> None:
    question = asked("release-train", folder=str(folder))
    assert question.title == "Publish 1.4.0?"
    assert children(question.run) == {
        "release-lint": "completed", "release-archive": "completed", "release-changelog": "failed",
        "release-notes": "completed",
    }  # fmt: skip
    failed = Run.objects.get(job="release-changelog")
    assert "Write a section `## 1.4.0` at its top" in failed.error["message"]
    assert {"part": "notes", "result": "a draft"} in question.context["parts"]
    packed = Path(Run.objects.get(job="release-archive").output["path"])
    decide(question, alice, "deny")
    decide(question, sara)
    output = ended(question.run)
    assert (output["decision"], output["folder"], packed.exists()) == ("denied", "", False)
    assert "`src`: 1 Python file, 1 line" in output["report"]


def test_a_release_that_fewer_than_two_approve_in_time_expires(asked: Asked, alice: User, folder: Path) -> None:
    question = asked("release-train", folder=str(folder))
    decide(question, alice)
    advance(timedelta(days=3, seconds=1))
    assert ended(question.run)["decision"] == "expired"


def test_a_part_without_a_substitute_fails_the_release(here: None, folder: Path) -> None:
    (folder / "ruff.toml").write_text("no such = setting")
    run = jobs.start("release-train", {"folder": str(folder)}).run
    drain()
    run.refresh_from_db()
    assert run.status == "failed"
    assert run.error["type"] == "ChildFailed"
    assert not run.questions.exists()


def test_perdures_own_source_can_be_packed_and_packs_the_same_again(here: None) -> None:
    release = Release(folder=str(Path(__file__).resolve().parents[2] / "examples"), version="1.0.0")
    paths = archive.list_everything(release)
    first, second = (archive.verify(archive.pack(UUID(int=number), release, paths)) for number in (1, 2))
    assert first.sha256 == second.sha256
    assert first.files == len(paths) > 20


def test_an_archive_that_was_touched_is_not_published(asked: Asked, sara: User, alice: User, folder: Path) -> None:
    question = asked("release-train", folder=str(folder))
    Path(Run.objects.get(job="release-archive").output["path"]).write_bytes(b"other")
    decide(question, sara)
    decide(question, alice)
    drain()
    run = jobs.get(question.run_id)
    assert (run.status, "not as it was packed" in run.error["message"]) == ("failed", True)


@pytest.mark.parametrize("decision", ["approve", "deny"])
def test_a_fork_that_names_another_file_as_its_archive_neither_copies_nor_removes_it(
    asked: Asked, sara: User, alice: User, folder: Path, tmp_path: Path, decision: str
) -> None:
    treasure = tmp_path / "treasure.zip"
    treasure.write_bytes(b"gold")
    named = {"path": str(treasure), "files": 1, "bytes": 4, "sha256": hashlib.sha256(b"gold").hexdigest()}
    first = asked("release-train", folder=str(folder), version="1.3.0").run
    made = jobs.fork(first.id, "report", outputs={"archive": named})
    drain()
    question = Question.objects.get(run=made)
    for by in (alice, sara):
        decide(question, by, decision)
    drain()
    made.refresh_from_db()
    assert (made.status, made.error and "is not as it was packed" in made.error["message"]) == ("failed", True)
    assert treasure.read_bytes() == b"gold"
