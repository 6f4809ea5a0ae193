"""The job: three children at once, a substitute for the one that fails, a summary, and two people's approval."""

import asyncio
from datetime import timedelta

from examples.release_train import report
from examples.release_train.changelog import choose_version
from examples.release_train.children import release_archive, release_changelog, release_lint, release_notes
from examples.release_train.publishing import discard, publish
from examples.release_train.schema import Archive, Linted, Notes, Release, Released, TrainRequest
from examples.writing import writer_of
from hitl.questions import Deny, Outcome, ask
from runs.jobs import StepContext, job

DEADLINE = timedelta(days=3)
PEOPLE = 2


@job("release-train")
async def release_train(step: StepContext, request: TrainRequest) -> Released:
    """Lint, pack and describe a folder in three children at once, then publish it if two people approve."""
    release = await step.run("choose-version", choose_version, request.folder, request.version)
    linted, archive, notes = await _run_children(step, release)
    sections = report.write_sections(release.version, linted, archive, notes)
    text = await step.stream("report", writer_of(sections))
    outcome = await _ask(step, request, release, report.part_rows(linted, archive, notes))
    if outcome.approved:
        folder = await step.run("publish", publish, step.run_id, archive, notes)
    else:
        folder = ""
        await step.run("discard", discard, archive)
    return Released(
        decision="published" if outcome.approved else "expired" if outcome.timed_out else "denied",
        version=release.version,
        by=[answer["by"] for answer in outcome.answers],
        comment=outcome.comment,
        folder=folder,
        report=text,
    )


async def _run_children(step: StepContext, release: Release) -> tuple[Linted, Archive, Notes]:
    """The changelog may have nothing to say yet: then another job drafts the notes. Raises ChildFailed."""
    given = release.model_dump()
    linted, archive, notes = await asyncio.gather(
        step.child("lint", release_lint, given),
        step.child("archive", release_archive, given),
        step.child("changelog", release_changelog, given, on_failure=release_notes),
    )
    return linted, archive, notes


async def _ask(step: StepContext, request: TrainRequest, release: Release, rows: list[dict[str, str]]) -> Outcome:
    return await ask(
        step,
        f"Publish {release.version}?",
        name="approval",
        body=f"**{PEOPLE} people** decide, and both must approve. The summary is the run's report.",
        context={"parts": rows},
        to=request.approvers,
        quorum=PEOPLE,
        starter_may_answer=not request.approvers,
        deadline=DEADLINE,
        on_timeout=Deny(),
    )
