"""The job: every round is analysed and asked anew; each step's result is recorded."""

from dataclasses import dataclass
from datetime import timedelta
from importlib import resources

from examples.code_review import report
from examples.code_review.applying import apply_change
from examples.code_review.diff import FileChange, parse_diff
from examples.code_review.errors import NothingChanges
from examples.code_review.facts import review_file
from examples.code_review.feedback import revise
from examples.code_review.lint import lint
from examples.code_review.opinion import ask_model
from examples.code_review.patching import versions_of, write_diff
from examples.code_review.schema import Change, FileReview, Finding, Opinion, Review, ReviewRequest, Written
from examples.naming import step_name
from examples.repository_report.folder import open_folder
from examples.text import counted
from examples.writing import writer_of
from hitl.questions import Deny, Outcome, ask
from runs.jobs import StepContext, job

DEADLINE = timedelta(days=7)
REMIND_EVERY = timedelta(days=2)


@job("code-review")
async def code_review(step: StepContext, request: ReviewRequest) -> Review:
    """Analyse a change with ast, difflib, ruff and a model, ask for approval, then apply it to copies or revise it."""
    change = await step.run("read-diff", read_diff, request.folder, request.diff)
    done: list[str] | None = None
    for number in range(1, request.rounds + 1):
        place = "" if number == 1 else f" (round {number})"
        files = await _analyse(step, change, place)
        opinion = None
        if step.patched(f"model-review{place}"):  # runs that were past this line before a model was asked
            opinion = await ask_model(step, f"model-review{place}", change.diff, files)
        text = await step.stream(f"report{place}", writer_of(report.write_sections(files, done or [], opinion)))
        outcome = await _ask(step, request, Analysed(change, files, opinion, done), place)
        written = await _apply(step, change, files) if outcome.approved else Written()
        ended = _end(outcome, number, files, written, text, opinion)
        if outcome.approved or outcome.timed_out or not outcome.comment or number == request.rounds:
            return ended
        revision = await step.run(f"revise{place}", revise, change.folder, change.diff, outcome.comment)
        if not revision.diff:
            return ended
        change, done = change.model_copy(update={"diff": revision.diff, "paths": revision.paths}), revision.done
    raise AssertionError("the last round returns")


def read_diff(folder: str, diff: str) -> Change:
    """The change with the folder's full path; the sample where none was given, written again as it is shown.

    Raises FolderNotUsable, UnreadableDiff, DoesNotApply, NothingChanges.
    """
    root = str(open_folder(folder))
    given = diff or resources.files(__package__).joinpath("sample.diff").read_text(encoding="utf-8")
    written = write_diff(versions_of(root, change) for change in parse_diff(given))
    if not written:
        raise NothingChanges
    return Change(folder=root, diff=written, paths=[change.path for change in parse_diff(written)])


async def _analyse(step: StepContext, change: Change, place: str) -> list[FileReview]:
    files = []
    for number, path in enumerate(change.paths, start=1):
        found = await step.run(step_name("analyse", path, place), analyse_file, change, path)
        if path.endswith((".py", ".pyi")):
            found.findings += await step.run(step_name("lint", path, place), lint_file, change, path)
        files.append(found)
        step.progress(number, len(change.paths), path)
    return files


def analyse_file(change: Change, path: str) -> FileReview:
    """What `ast` and `difflib` tell about the file. Raises DoesNotApply."""
    own = _change_of(change, path)
    return review_file(own, versions_of(change.folder, own))


def lint_file(change: Change, path: str) -> list[Finding]:
    """What ruff finds in the file that it did not find before. Raises DoesNotApply, RuffMissing, RuffFailed."""
    return lint(change.folder, versions_of(change.folder, _change_of(change, path)))


def _change_of(change: Change, path: str) -> FileChange:
    return next(one for one in parse_diff(change.diff) if one.path == path)


@dataclass(frozen=True)
class Analysed:
    """What is asked about; `done` is None in the first round, and says what the feedback led to after it."""

    change: Change
    files: list[FileReview]
    opinion: Opinion | None
    done: list[str] | None


async def _ask(step: StepContext, request: ReviewRequest, found: Analysed, place: str) -> Outcome:
    return await ask(
        step,
        f"Apply the {'change' if found.done is None else 'revised change'} to {counted(len(found.files), 'file')}?",
        name=f"approval{place}",
        body=report.write_body(found.files, found.done, found.opinion),
        context={"diff": found.change.diff} | report.tables(found.files, found.opinion),
        to=request.reviewers,
        starter_may_answer=not request.reviewers,
        deadline=DEADLINE,
        on_timeout=Deny(),
        remind_every=REMIND_EVERY,
    )


async def _apply(step: StepContext, change: Change, files: list[FileReview]) -> Written:
    digests = {file.path: file.digest for file in files}
    return await step.run("apply", apply_change, "code-review", step.run_id, change.folder, change.diff, digests)


def _end(
    outcome: Outcome, rounds: int, files: list[FileReview], written: Written, text: str, opinion: Opinion | None
) -> Review:
    return Review(
        decision="applied" if outcome.approved else "expired" if outcome.timed_out else "denied",
        by=[answer["by"] for answer in outcome.answers],
        comment=outcome.comment,
        rounds=rounds,
        findings=len(report.findings_of(files)),
        reviewed_by=opinion.by if opinion else "",
        files=written.files,
        folder=written.folder,
        report=text,
    )
