"""The files of artefacts go with their runs, and what no run names goes with the next clean-up."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from runs import jobs
from runs.engine import files
from runs.maintenance.files import sweep_files
from runs.maintenance.retention import prune
from runs.models import Artifact, Run
from runs.testing import advance, crash_after, drain

pytestmark = pytest.mark.django_db(transaction=True)
Saved = Callable[[], Run]


@pytest.fixture(autouse=True)
def _own_storage(tmp_path: Path, settings: pytest.FixtureRequest) -> None:
    settings.STORAGES = settings.STORAGES | {  # type: ignore[attr-defined]
        "artifacts": {"BACKEND": "runs.engine.files.ArtifactStorage", "OPTIONS": {"location": tmp_path / "kept"}}
    }


@pytest.fixture
def saved() -> Saved:
    @jobs.job("saves")
    async def saves(step: jobs.StepContext, fail: bool = False) -> None:
        await step.save_artifact("a", "one")
        await step.run("between", lambda: None)
        await step.save_artifact("a", "two")

    def make() -> Run:
        run = jobs.start(saves, False).run
        drain()
        return run

    return make


def kept(run_id: UUID) -> list[str]:
    """Digests of what lies in the run's folder."""
    folder = Path(files.storage().path(str(run_id)))
    return sorted(one.name for one in folder.iterdir()) if folder.exists() else []


def test_a_pruned_history_keeps_them_and_a_deleted_run_takes_them_along(saved: Saved) -> None:
    run = saved()
    advance(timedelta(days=2))
    assert prune().trimmed == 1
    assert jobs.read_artifact(run.id, "a", 1) == b"one"
    advance(timedelta(days=40))
    assert prune().runs == 1
    assert (kept(run.id), Artifact.objects.count()) == ([], 0)


def test_those_that_a_fork_names_stay_as_long_as_the_fork(saved: Saved) -> None:
    run = saved()
    fork = jobs.fork(run.id, "between")
    drain()
    jobs.delete(run.id)
    assert jobs.read_artifact(fork.id, "a", 1) == b"one"
    assert kept(run.id) == [files.digest_of(b"one")]
    sweep_files()
    assert kept(run.id) == [files.digest_of(b"one")]
    jobs.delete(fork.id)
    assert kept(run.id) == kept(fork.id) == []


def test_what_a_crash_left_is_removed_after_the_end_and_no_sooner() -> None:
    @jobs.job("waits")
    async def waits(step: jobs.StepContext) -> None:
        await step.save_artifact("a", await step.run("text", lambda: "one"), step_name="save")
        await step.wait_for_signal("go")

    run = jobs.start(waits).run
    with crash_after("save", before_record=True):
        drain()
    assert (kept(run.id), Artifact.objects.count()) == ([files.digest_of(b"one")], 0)
    assert sweep_files() == 0
    jobs.cancel(run.id)
    assert (sweep_files(), kept(run.id)) == (1, [])
    assert not Path(files.storage().path(str(run.id))).exists()


def test_a_clean_up_takes_what_lies_there_of_runs_that_are_gone_and_nothing_else(saved: Saved) -> None:
    run, gone = saved(), uuid4()
    path = files.write(gone, b"left")
    Path(files.storage().path("readme.txt")).write_text("an operator's")
    Path(files.storage().path("not-a-run")).mkdir()
    prune()
    assert not files.storage().exists(path)
    assert len(kept(run.id)) == 2
    assert {one.name for one in Path(files.storage().path("")).iterdir()} == {str(run.id), "readme.txt", "not-a-run"}


def test_without_any_file_there_is_nothing_to_sweep() -> None:
    assert sweep_files() == 0
