"""What `coding-assistant` takes, what it asks a model for, and what it gives."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from examples.repository_report.schema import Folder

SAMPLE_TASK = 'Add the docstring "A transport for the running loop." to `make_transport`.'

Term = Annotated[str, StringConstraints(strip_whitespace=True, min_length=2, max_length=200)]


class CodingTask(BaseModel):
    """What is to be changed, and where."""

    model_config = ConfigDict(extra="forbid")

    task: str = Field(
        default=SAMPLE_TASK,
        min_length=5,
        max_length=4000,
        title="Task",
        description="What is to be changed, in a few sentences.",
    )
    folder: Folder = Field(
        default="",
        max_length=1000,
        title="Folder",
        description="Absolute path of an allowed folder of source on the worker's machine. Empty: Perdure's own.",
    )
    maximum_files: int = Field(
        default=3, ge=1, le=10, title="Maximum files", description="At most this many files are changed."
    )
    ask: bool = Field(
        default=False, title="Ask", description="Ask people at the end; approved, the changed files are written."
    )
    reviewers: list[str] = Field(
        default=[],
        max_length=20,
        title="Reviewers",
        description="User names, or group:<name>, who are asked. Empty: the team of the run, and you.",
    )


class Plan(BaseModel):
    """A model's answer to the task: what is to be done, and by which words the places are found."""

    summary: str = Field(max_length=2000, description="What will be changed, in one or two sentences.")
    steps: list[str] = Field(max_length=20, description="What is done, in order, a sentence each.")
    terms: list[Term] = Field(
        min_length=1, max_length=10,
        description="Literal texts that the files to change contain, such as `def name(`. No regular expressions.",
    )  # fmt: skip


class Edit(BaseModel):
    """One place of a file: `find` stands in it exactly once."""

    find: str = Field(min_length=1, max_length=20_000, description="Lines of the file, exactly as they are.")
    replace: str = Field(max_length=40_000, description="What stands there afterwards.")


class Proposal(BaseModel):
    """A model's answer for one file; no edits where nothing is to be changed in it."""

    edits: list[Edit] = Field(max_length=50)
    note: str = Field(default="", max_length=2000, description="Why so, in a sentence.")


class Change(BaseModel):
    """What is proposed for one file; `diff` is empty where nothing is."""

    file: str
    diff: str
    note: str = ""
    digest: str = Field(description="SHA-256 of the file that the diff was made for.")


class Unchanged(BaseModel):
    """A file that stays as it is, and why."""

    file: str
    note: str


class Changes(BaseModel):
    """The result."""

    plan: Plan
    changes: list[Change] = Field(description="A unified diff for each file that is changed.")
    unchanged: list[Unchanged] = Field(description="Files that were found and looked at, and stay as they are.")
    diff: str = Field(description="All changes as one diff, as git apply takes it.")
    answered_by: str = Field(description="Where plan and edits come from: the provider and its model.")
    decision: Literal["not asked", "applied", "denied", "expired"]
    folder: str = Field(description="Where the changed files were written; the source itself is never changed.")
