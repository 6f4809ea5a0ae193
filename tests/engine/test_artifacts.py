"""`step.save_artifact`: a file, its row, its event and the step's record, once and in versions."""

import asyncio
import stat
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import override_settings

from runs import jobs
from runs.engine import files
from runs.errors import ArtifactNotFound, ArtifactTooLarge, InvalidArtifact
from runs.jobs import StepContext, SyncStepContext, job
from runs.models import Artifact, Run, Step
from runs.testing import advance, crash_after, drain
from tests.engine.driver import begin, events


def _shown(run: Run) -> list[tuple[str, int, str, bytes]]:
    rows = jobs.artifacts(run.id)
    return [(row.name, row.version, row.media_type, jobs.read_artifact(run.id, row.name, row.version)) for row in rows]


def test_a_saved_file_is_listed_and_read_and_its_event_tells_of_it() -> None:
    @job("saves")
    async def saves(step: StepContext) -> dict[str, Any]:
        return await step.save_artifact("plan.md", "# Plan ü")

    run = begin(saves)
    drain()
    assert _shown(run) == [("plan.md", 1, "text/markdown", "# Plan ü".encode())]
    told = {
        "name": "plan.md", "version": 1, "media_type": "text/markdown", "size": 9,
        "digest": files.digest_of("# Plan ü".encode()),
    }  # fmt: skip
    found = events(run)
    assert [str(event.type) for event in found][-4:] == [
        "step:start", "artifact:save", "step:complete", "run:complete",
    ]  # fmt: skip
    assert (found[-3].data, found[-3].step) == (told, "artifact:plan.md#1")
    assert jobs.get(run.id).output == told


def test_each_save_of_a_name_is_its_next_version_and_the_newest_is_read() -> None:
    @job("versions")
    async def versions(step: StepContext) -> None:
        await asyncio.gather(*(step.save_artifact("a.txt", f"text {n}", step_name=f"save {n}") for n in range(5)))
        await step.save_artifact("a.txt", b"last")
        await step.save_artifact("b", b"\x00\xff")

    run = begin(versions)
    drain()
    assert [row.version for row in jobs.artifacts(run.id) if row.name == "a.txt"] == [1, 2, 3, 4, 5, 6]
    assert jobs.read_artifact(run.id, "a.txt") == b"last"
    assert {jobs.read_artifact(run.id, "a.txt", n) for n in range(1, 6)} == {f"text {n}".encode() for n in range(5)}
    assert jobs.artifact(run.id, "b").media_type == "application/octet-stream"


def test_a_replay_saves_nothing_again_and_later_saves_go_on_counting() -> None:
    @job("naps")
    async def naps(step: StepContext) -> int:
        await step.save_artifact("log", "one")
        await step.sleep("nap", timedelta(days=1))
        return (await step.save_artifact("log", "two"))["version"]  # type: ignore[no-any-return]

    run = begin(naps)
    drain()
    advance(timedelta(days=1))
    drain()
    assert (jobs.get(run.id).output, [row.version for row in jobs.artifacts(run.id)]) == (2, [1, 2])


def test_a_plain_function_saves_too() -> None:
    @job("plain")
    def plain(step: SyncStepContext) -> int:
        step.save_artifact("x.json", "{}")
        return step.save_artifact("x.json", "[]")["version"]  # type: ignore[no-any-return]

    run = begin(plain)
    drain()
    assert (jobs.get(run.id).output, jobs.read_artifact(run.id, "x.json")) == (2, b"[]")


@pytest.mark.parametrize("name", ["", "a/b", "..", ".hidden", "a\\b", "a\nb", "x" * 101, "a\0b", 7])
def test_what_could_lead_out_of_a_folder_or_break_a_header_is_no_name(name: Any) -> None:
    @job("bad-name")
    async def bad_name(step: StepContext) -> None:
        with pytest.raises(InvalidArtifact):
            await step.save_artifact(name, "text")

    run = begin(bad_name)
    drain()
    assert (jobs.get(run.id).status, Step.objects.count()) == ("completed", 0)


@override_settings(RUNS_MAX_ARTIFACT_BYTES=10)
def test_what_is_too_large_or_no_text_is_refused_before_anything_is_written() -> None:
    @job("large")
    async def large(step: StepContext) -> None:
        with pytest.raises(ArtifactTooLarge):
            await step.save_artifact("large", b"x" * 11)
        with pytest.raises(InvalidArtifact):
            await step.save_artifact("lone", "\ud800")
        with pytest.raises(InvalidArtifact):
            await step.save_artifact("type", "x", media_type="text/html\r\nX: y")

    run = begin(large)
    drain()
    assert (jobs.get(run.id).status, Artifact.objects.count()) == ("completed", 0)


def test_a_storage_that_fails_fails_the_step_which_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    real, calls = files.write, []

    def full_once(*args: Any) -> str:
        calls.append(args)
        if len(calls) == 1:
            raise OSError("No space left on device")
        return real(*args)

    monkeypatch.setattr(files, "write", full_once)

    @job("full")
    async def full(step: StepContext) -> None:
        await step.options(retries=jobs.Retry(max_attempts=2, initial=0)).save_artifact("a", "text")

    run = begin(full)
    drain()
    assert [(row.name, row.version) for row in jobs.artifacts(run.id)] == [("a", 1)]


def test_the_file_is_whole_its_owners_only_and_kept_once_for_the_same_content() -> None:
    @job("same")
    async def same(step: StepContext) -> None:
        await step.save_artifact("a", "text")
        await step.save_artifact("b", "text")

    run = begin(same)
    drain()
    first, second = jobs.artifacts(run.id)
    assert first.path == second.path == f"{run.id}/{files.digest_of(b'text')}"
    path = Path(files.storage().path(first.path))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [one.name for one in path.parent.iterdir()] == [path.name]


def test_a_file_that_a_crash_cut_short_is_written_again() -> None:
    @job("again")
    async def again(step: StepContext) -> None:
        await step.save_artifact("a", "the whole text")

    run = begin(again)
    path = Path(files.storage().path(f"{run.id}/{files.digest_of(b'the whole text')}"))
    path.parent.mkdir(parents=True)
    path.write_bytes(b"the wh")
    drain()
    assert jobs.read_artifact(run.id, "a") == b"the whole text"


@pytest.mark.parametrize("before_record", [True, False])
def test_a_worker_that_dies_around_the_record_leaves_one_version(before_record: bool) -> None:
    @job("dies")
    async def dies(step: StepContext) -> None:
        await step.save_artifact("a", "text", step_name="save")

    run = begin(dies)
    with crash_after("save", before_record=before_record):
        drain()
    drain()
    assert _shown(run) == [("a", 1, "text/plain", b"text")]
    assert [str(event.type) for event in events(run)].count("artifact:save") == 1


def test_a_fork_has_what_its_kept_steps_saved_and_goes_on_counting() -> None:
    @job("forked")
    async def forked(step: StepContext) -> None:
        await step.save_artifact("a", "one")
        await step.run("between", lambda: None)
        await step.save_artifact("a", "two")

    old = begin(forked)
    drain()
    run = jobs.fork(old.id, "between")
    assert _shown(run) == [("a", 1, "text/plain", b"one")]
    drain()
    assert [version for _, version, _, _ in _shown(run)] == [1, 2]
    jobs.delete(old.id)
    assert [content for *_, content in _shown(run)] == [b"one", b"two"]


def test_what_is_not_there_says_so() -> None:
    @job("nothing")
    async def nothing(step: StepContext) -> None:
        await step.save_artifact("a", "one")

    run = begin(nothing)
    drain()
    with pytest.raises(ArtifactNotFound, match="has no artefact 'b'"):
        jobs.read_artifact(run.id, "b")
    with pytest.raises(ArtifactNotFound, match="in version 2"):
        jobs.read_artifact(run.id, "a", 2)
    files.storage().delete(jobs.artifact(run.id, "a").path)
    with pytest.raises(ArtifactNotFound, match="Restore it"):
        jobs.read_artifact(run.id, "a")
