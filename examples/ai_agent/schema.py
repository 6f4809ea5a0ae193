"""What `ai-agent` takes and gives."""

from pydantic import BaseModel, ConfigDict, Field

from examples.repository_report.schema import Folder

SAMPLE_QUESTION = "What happens to a run when its worker crashes?"


class Question(BaseModel):
    """What is to be answered, and from which pages."""

    model_config = ConfigDict(extra="forbid")

    question: str = Field(
        default=SAMPLE_QUESTION,
        min_length=3,
        max_length=2000,
        title="Question",
        description="What is to be answered from the pages.",
    )
    folder: Folder = Field(
        default="",
        max_length=1000,
        title="Folder",
        description="Absolute path of an allowed folder with pages in Markdown or reStructuredText on the worker's "
        "machine. Empty: Perdure's own.",
    )


class Passage(BaseModel):
    """A section of a page."""

    path: str
    heading: str
    text: str


class Answer(BaseModel):
    """The result."""

    answer: str = Field(description="In Markdown.")
    pages: list[str] = Field(description="Where the passages come from that the answer began with.")
    answered_by: str = Field(description="The provider and its model.")
    turns: int = Field(description="How often it was asked, the turns after tool calls included.")
