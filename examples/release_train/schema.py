"""What `release-train` and its children take and give."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from examples.repository_report.schema import Folder


class TrainRequest(BaseModel):
    """What to release, and who decides about it."""

    model_config = ConfigDict(extra="forbid")

    folder: Folder = Field(
        default="",
        max_length=1000,
        title="Folder",
        description="Absolute path of the folder to release, on the worker's machine. Empty: Perdure's own.",
    )
    version: str = Field(
        default="",
        pattern=r"^(\d{1,5}\.\d{1,5}\.\d{1,5})?$",
        title="Version",
        description="As in 1.2.0. Empty: the minor version after the changelog's newest.",
    )
    approvers: list[str] = Field(
        default=[],
        max_length=20,
        title="Approvers",
        description="User names, or group:<name>; two of them decide. Empty: the team of the run, and you.",
    )


class Release(BaseModel):
    """The input of each child."""

    folder: Folder
    version: str = Field(pattern=r"^\d{1,5}\.\d{1,5}\.\d{1,5}$", description="As in 1.2.0.")


class RuleCount(BaseModel):
    rule: str
    count: int


class Linted(BaseModel):
    """What ruff finds in the folder by the folder's own configuration."""

    findings: int
    rules: list[RuleCount]


class Archive(BaseModel):
    """A zip of the folder's files; the same files give the same bytes."""

    path: str
    files: int
    bytes: int
    sha256: str


class Notes(BaseModel):
    """Release notes in Markdown: the changelog's, or a draft where it has none for the version."""

    source: Literal["changelog", "draft"]
    text: str


class Released(BaseModel):
    """What became of the release."""

    decision: Literal["published", "denied", "expired"]
    version: str
    by: list[str] = Field(description="Who decided; empty when the deadline did.")
    comment: str
    folder: str = Field(description="Where archive, notes and checksum were published; empty if they were not.")
    report: str = Field(description="The summary, in Markdown.")
