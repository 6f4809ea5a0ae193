"""What `code-review` takes, records and gives."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from examples.code_review.diff import MAX_CHARACTERS, parse_diff
from examples.code_review.errors import UnreadableDiff
from examples.repository_report.schema import Folder


class ReviewRequest(BaseModel):
    """Which change to review, and who decides about it."""

    model_config = ConfigDict(extra="forbid")

    folder: Folder = Field(
        default="",
        max_length=1000,
        title="Folder",
        description="Absolute path of the folder that is changed, on the worker's machine. Empty: Perdure's own.",
    )
    diff: str = Field(
        default="",
        max_length=MAX_CHARACTERS,
        title="Diff",
        description="Unified diff, as of git diff. Empty: a sample change to Perdure's own source.",
    )
    reviewers: list[str] = Field(
        default=[],
        max_length=20,
        title="Reviewers",
        description="User names, or group:<name>. Empty: the team of the run, and you.",
    )
    rounds: int = Field(
        default=3, ge=1, le=10, title="Rounds", description="How often it may be revised and asked again."
    )

    @field_validator("diff")
    @classmethod
    def _readable(cls, diff: str) -> str:
        try:
            if diff.strip():
                parse_diff(diff)
        except UnreadableDiff as exc:
            raise ValueError(str(exc)) from exc
        return diff if diff.strip() else ""


class Change(BaseModel):
    """The diff under review and the folder that it is for."""

    folder: str
    diff: str
    paths: list[str]


class Finding(BaseModel):
    """Something that the change brings in. `rule` is ruff's code, or a name for what `ast` showed."""

    path: str
    line: int
    rule: str
    message: str


class FileReview(BaseModel):
    """One changed file. `similarity` is difflib's ratio of the old and the new lines, from 0 to 1."""

    path: str
    kind: Literal["added", "changed", "removed"]
    hunks: list[int]
    added: int
    removed: int
    similarity: float
    functions: int = 0
    complexity: int = 0
    complexity_before: int = 0
    digest: str = Field(description="SHA-256 of the file before the change; empty for a new one.")
    findings: list[Finding] = []


class Remark(BaseModel):
    """Something that a model says about one place of the change."""

    place: str = Field(max_length=500, description="The file and its line after the change, as in src/a.py:12.")
    remark: str = Field(max_length=1000)


class Opinion(BaseModel):
    """A model's review; `problem` says why there is none. `by` names who answered."""

    summary: str = ""
    remarks: list[Remark] = []
    by: str = ""
    problem: str = ""


class Revision(BaseModel):
    """The change after feedback; `done` says what was taken up."""

    diff: str
    paths: list[str]
    done: list[str]


class Written(BaseModel):
    """Where an approved change was written."""

    folder: str = ""
    files: list[str] = []


class Review(BaseModel):
    """What became of the change."""

    decision: Literal["applied", "denied", "expired"]
    by: list[str] = Field(description="Who decided in the last round; empty when the deadline did.")
    comment: str
    rounds: int = Field(description="How often people were asked.")
    findings: int = Field(description="What the last version of the change brings in.")
    reviewed_by: str = Field(default="", description="The provider that reviewed it too; empty when none answered.")
    files: list[str] = Field(description="The files that were written, if it was applied.")
    folder: str = Field(description="Where they were written; the reviewed folder itself is never changed.")
    report: str = Field(description="The last report, in Markdown.")
