"""What `coding-agent` takes and gives, under the names of the workflow API."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

SAMPLE_TASK = 'Replace "Hello" by "Good morning" in greeting.py.'
MOST_ITERATIONS = 200


class Model(BaseModel):
    """Which model answers, by names that administrators keep."""

    model_config = ConfigDict(extra="forbid")

    provider: Annotated[str, Field(max_length=200, title="Provider profile")] = ""
    model: Annotated[str, Field(max_length=200)] = ""
    modelName: Annotated[str, Field(max_length=200)] = ""  # noqa: N815

    @property
    def name(self) -> str | None:
        """None: the profile's own."""
        return self.model or self.modelName or None


class Metadata(BaseModel):
    """How it works; what else clients send is left aside."""

    maxIterations: int = Field(  # noqa: N815
        30, ge=1, le=MOST_ITERATIONS, title="Iterations", description="Model calls at most."
    )
    llmConfig: Model = Model()  # noqa: N815


class Assignment(BaseModel):
    """A task in a project."""

    model_config = ConfigDict(extra="forbid")

    projectId: str = Field(  # noqa: N815
        "",
        max_length=1000,
        title="Project",
        description="A folder inside PERDURE_LLM_TOOL_FOLDERS. Empty: a small project of this example, in a copy.",
    )
    task: Annotated[str, StringConstraints(min_length=1, max_length=20_000)] = Field(
        SAMPLE_TASK, title="Task", description="What is to be changed."
    )
    metadata: Metadata = Metadata()


class Review(BaseModel):
    """The signal `review`."""

    model_config = ConfigDict(extra="ignore")

    approved: bool
    feedback: Annotated[str, Field(max_length=20_000)] = ""


class Edit(BaseModel):
    """A file that is other than it was."""

    file: str
    operation: Literal["create", "update"]
    added: int = Field(description="Lines.")
    removed: int = Field(description="Lines.")


class Changes(BaseModel):
    """All that is changed in the project up to now, as a unified diff."""

    diff: str = ""
    edits: list[Edit] = []


class Outcome(BaseModel):
    """The result; the workflow API's event `complete` tells of it."""

    success: bool
    message: str = Field(description="The model's last words, or why it stopped.")
    decision: Literal["approved", "expired", "nothing to review", "out of iterations"]
    iterations: int
    steps: list[dict[str, Any]] = Field(description="Calls of tools: number, tool and whether it succeeded.")
    edits: list[Edit]
    folder: str
    answered_by: str
