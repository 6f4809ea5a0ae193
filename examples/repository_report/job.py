"""The job: each step's result is recorded, so a crash costs at most the step that ran."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable

from examples.pieces import pieces
from examples.repository_report import markdown
from examples.repository_report.analysis import analyse
from examples.repository_report.folder import list_files
from examples.repository_report.schema import FileFacts, FolderListing, LargeFile, Report, ReportRequest
from runs.jobs import Checkpoint, Emit, StepContext, job

_PIECE_CHARACTERS = 24
_PIECE_SECONDS = 0.02
_STREAM_SECONDS = 12.0
_LONGEST_STEP_NAME = 200

Writer = Callable[[Emit, Checkpoint], Awaitable[str]]


@job("repository-report")
async def repository_report(step: StepContext, request: ReportRequest) -> Report:
    """Measure every Python file of a folder and write a report on it in Markdown."""
    listing = await step.run("list-files", list_files, request.folder, request.maximum_files)
    for reason, count in listing.left_out.items():
        step.log.warning(f"{count} files are left out: {reason}", reason=reason, count=count)
    files = []
    for number, path in enumerate(listing.paths, start=1):
        files.append(await step.run(step_name(path), analyse, listing.folder, path))
        step.progress(number, len(listing.paths), path)
    _log_problems(step, files)
    report = await step.stream("report", report_writer(listing, files))
    return Report(
        report=report,
        folder=listing.folder,
        files=len(files),
        lines=sum(file.lines for file in files),
        largest=[LargeFile(path=file.path, lines=file.lines) for file in markdown.largest(files)],
    )


def step_name(path: str) -> str:
    """`analyse <path>`; the end of a long path and a digest of the whole, because a step's name is limited."""
    name = f"analyse {path}"
    if len(name) <= _LONGEST_STEP_NAME:
        return name
    digest = hashlib.sha256(path.encode()).hexdigest()[:12]
    return f"analyse {digest} ...{path[-160:]}"


def report_writer(listing: FolderListing, files: list[FileFacts]) -> Writer:
    """A streaming step's function that writes the report piece by piece and can go on after a crash."""
    sections = markdown.write_sections(listing, files)
    pause = _pause_seconds(sum(map(len, sections)))

    async def write(emit: Emit, checkpoint: Checkpoint) -> str:
        done: int = checkpoint.last["sections"] if checkpoint.last else 0
        if done:
            # Readers of the lost attempt drop what they saw, so this one begins with all that was written.
            for piece in pieces("".join(sections[:done]), 64 * 1024):
                emit(piece)
        for number, section in enumerate(sections[done:], start=done + 1):
            for piece in pieces(section, _PIECE_CHARACTERS):
                emit(piece)
                await asyncio.sleep(pause)
            await checkpoint({"sections": number})
        return "".join(sections)

    return write


def _pause_seconds(characters: int) -> float:
    """Slow enough to be seen, and no report takes longer than _STREAM_SECONDS."""
    return min(_PIECE_SECONDS, _STREAM_SECONDS * _PIECE_CHARACTERS / max(characters, 1))


def _log_problems(step: StepContext, files: list[FileFacts]) -> None:
    for file in files:
        if file.problem:
            step.log.warning(f"{file.path} {file.problem}", path=file.path)
    step.log.info(f"{len(files)} files are analysed, {sum(file.lines for file in files)} lines")
