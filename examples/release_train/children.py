"""The jobs that a release train starts: three at once, and the substitute of one. Each can be started alone."""

import json

from examples.release_train import archive, changelog
from examples.release_train.schema import Archive, Linted, Notes, Release, RuleCount
from examples.ruff import run_ruff
from runs.jobs import StepContext, job


@job("release-lint")
async def release_lint(step: StepContext, release: Release) -> Linted:
    """Count what ruff finds in the folder."""
    return await step.run("ruff", count_findings, release.folder)


@job("release-archive")
async def release_archive(step: StepContext, release: Release) -> Archive:
    """Pack the folder's files into a zip and read it back."""
    paths = await step.run("list-files", archive.list_everything, release)
    packed = await step.run("pack", archive.pack, step.run_id, release, paths)
    return await step.run("verify", archive.verify, packed)


@job("release-changelog")
async def release_changelog(step: StepContext, release: Release) -> Notes:
    """Read what the changelog says about the version; fails where it says nothing."""
    return await step.run("read-changelog", changelog.read_notes, release)


@job("release-notes")
async def release_notes(step: StepContext, release: Release) -> Notes:
    """Draft notes from what the folder holds: the substitute of `release-changelog`."""
    return await step.run("draft", changelog.draft_notes, release)


def count_findings(folder: str) -> Linted:
    """Raises RuffMissing, RuffFailed."""
    found = json.loads(run_ruff(folder, "--output-format=json", "--exit-zero", "--quiet", "--statistics", ".") or "[]")
    rules = [RuleCount(rule=one["code"] or "syntax-error", count=one["count"]) for one in found]
    return Linted(findings=sum(one.count for one in rules), rules=rules)
