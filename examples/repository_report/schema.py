"""What `repository-report` takes and gives."""

from pathlib import PurePath
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

MOST_FILES = 2000


def _must_be_absolute(value: str) -> str:
    if not value.isprintable():
        raise ValueError("the path has unprintable characters; give the folder's plain absolute path")
    if value and not PurePath(value).is_absolute():
        raise ValueError("the path is relative, and the worker runs elsewhere; give an absolute path")
    return value


Folder = Annotated[str, AfterValidator(_must_be_absolute)]
"""The absolute path of a folder on the worker's machine; empty for Perdure's own source."""


class ReportRequest(BaseModel):
    """Which folder to report on."""

    model_config = ConfigDict(extra="forbid")

    folder: Folder = Field(
        default="",
        max_length=1000,
        title="Folder",
        description="Absolute path of a folder of Python source on the worker's machine. Empty: Perdure's own.",
    )
    maximum_files: int = Field(
        default=1000,
        ge=1,
        le=MOST_FILES,
        title="Maximum files",
        description="At most this many files are analysed, in the order of their paths.",
    )


class FunctionFacts(BaseModel):
    """One function or method. `lines` counts from its `def` to its last line."""

    name: str
    line: int
    lines: int
    complexity: int


class Mark(BaseModel):
    """A comment that says that something is left to do."""

    line: int
    word: str


class FileFacts(BaseModel):
    """One source file, measured.

    `lines` counts newline characters, as `wc -l` does. The kinds of lines count physical lines, so they sum up to
    one more in a file whose last line has no newline. `problem` says why a file could not be parsed; then only
    `lines` and `blank` are measured.
    """

    path: str
    lines: int = 0
    code: int = 0
    comments: int = 0
    docstrings: int = 0
    blank: int = 0
    functions: int = 0
    classes: int = 0
    complexity: int = 0
    longest: FunctionFacts | None = None
    hardest: FunctionFacts | None = None
    imports: list[str] = []
    marks: list[Mark] = []
    problem: str | None = None


class FolderListing(BaseModel):
    """The files to analyse, as paths relative to `folder`; `left_out` counts those passed over and says why."""

    folder: str
    paths: list[str]
    left_out: dict[str, int] = {}


class LargeFile(BaseModel):
    path: str
    lines: int


class Report(BaseModel):
    """The report and its main numbers."""

    report: str = Field(description="The report in Markdown.")
    folder: str = Field(description="The folder that was analysed.")
    files: int = Field(description="Files analysed.")
    lines: int = Field(description="Lines of all files together, as wc -l counts them.")
    largest: list[LargeFile] = Field(description="The ten files with the most lines.")
