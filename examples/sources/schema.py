"""What a search gives, as it is recorded."""

from pydantic import BaseModel, Field


class Hit(BaseModel):
    line: int
    text: str


class FoundFile(BaseModel):
    """`hits` are the first lines with one of the terms, `score` is what files are ranked by."""

    path: str
    score: int
    hits: list[Hit]


class Found(BaseModel):
    """The best files of a folder for some terms; `left_out` counts the files passed over and says why."""

    folder: str
    terms: list[str]
    searched: int = Field(description="Files whose text was looked through.")
    files: list[FoundFile]
    left_out: dict[str, int] = {}


class Source(BaseModel):
    """A text file as it was read. `digest` is its SHA-256."""

    path: str
    text: str
    digest: str
