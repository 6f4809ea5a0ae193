"""The job: each step's result is recorded, so a crash costs at most the step that ran."""

from examples.naming import step_name
from examples.repository_report import markdown
from examples.repository_report.analysis import analyse
from examples.repository_report.folder import list_files
from examples.repository_report.schema import FileFacts, FolderListing, LargeFile, Report, ReportRequest
from examples.writing import Writer, writer_of
from runs.jobs import StepContext, job


@job("repository-report")
async def repository_report(step: StepContext, request: ReportRequest) -> Report:
    """Measure every Python file of a folder and write a report on it in Markdown."""
    listing = await step.run("list-files", list_files, request.folder, request.maximum_files)
    for reason, count in listing.left_out.items():
        step.log.warning(f"{count} files are left out: {reason}", reason=reason, count=count)
    files = []
    for number, path in enumerate(listing.paths, start=1):
        files.append(await step.run(step_name("analyse", path), analyse, listing.folder, path))
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


def report_writer(listing: FolderListing, files: list[FileFacts]) -> Writer:
    """Writes the report; see `writer_of`."""
    return writer_of(markdown.write_sections(listing, files))


def _log_problems(step: StepContext, files: list[FileFacts]) -> None:
    for file in files:
        if file.problem:
            step.log.warning(f"{file.path} {file.problem}", path=file.path)
    step.log.info(f"{len(files)} files are analysed, {sum(file.lines for file in files)} lines")
