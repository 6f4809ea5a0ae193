"""What the workflow API takes and answers. Its names, and its times in milliseconds since the epoch, are its own."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from runs.api.requests import Body, Key
from runs.api.shapes import Shape
from runs.models import Run

STATUSES = {
    "queued": "PENDING", "running": "RUNNING", "waiting": "RUNNING", "paused": "PAUSED", "completed": "COMPLETED",
    "failed": "FAILED", "cancelled": "CANCELLED",
}  # fmt: skip
Status = Annotated[str, Field(description="PENDING, RUNNING, PAUSED, COMPLETED, FAILED or CANCELLED.")]
Milliseconds = Annotated[int, Field(description="Since the epoch.")]


def _no_address(name: str) -> str:
    if "://" in name:
        raise ValueError("is an address; name what an administrator keeps")
    return name


Named = Annotated[str, StringConstraints(min_length=1, max_length=200), AfterValidator(_no_address)]
"""What names something that an administrator keeps."""


def milliseconds(at: datetime) -> int:
    return int(at.timestamp() * 1000)


class LlmConfig(Body):
    """Which model answers: by names that administrators keep. Keys and addresses are theirs, and are refused."""

    provider: Named | None = Field(None, description="Id of a provider profile.")
    model: Named | None = None
    modelName: Named | None = Field(None, description="The same as `model`.")  # noqa: N815  (the names of this API)


class Metadata(BaseModel):
    """What its job is told beside the task; it may hold more than these."""

    model_config = ConfigDict(extra="allow", strict=True)

    maxIterations: int | None = Field(None, ge=1, le=10_000)  # noqa: N815
    llmConfig: LlmConfig | None = None  # noqa: N815


class StartWorkflow(Body):
    """A workflow to start. It gets `projectId`, `task` and `metadata` as its input, those that are given."""

    workflow: Key | None = Field(
        None, description="Name of a job or of an agent flow; without it PERDURE_WORKFLOW_JOB."
    )
    projectId: Annotated[str, Field(max_length=200)] | None = None  # noqa: N815
    task: Any = None
    userId: Annotated[str, Field(max_length=200)] | None = Field(  # noqa: N815
        None, description="Kept as the label `userId` if it is not your own, and trusted for nothing; you own the run."
    )
    metadata: Metadata | None = None
    idempotencyKey: Key | None = None  # noqa: N815


class SignalWorkflow(Body):
    """A signal to a workflow."""

    signalName: Key  # noqa: N815
    data: Any = None
    idempotencyKey: Key | None = None  # noqa: N815


class UpdateWorkflow(Body):
    """An update for a workflow to handle."""

    updateName: Key  # noqa: N815
    data: Any = None
    idempotencyKey: Key | None = None  # noqa: N815


class WorkflowStarted(Shape):
    """A workflow that was started, now or by an earlier request with the same key."""

    workflowId: UUID  # noqa: N815
    status: Status
    createdAt: Milliseconds  # noqa: N815

    @classmethod
    def of(cls, run: Run) -> "WorkflowStarted":
        return cls(workflowId=run.id, status=STATUSES[run.status], createdAt=milliseconds(run.created_at))


class WorkflowSignalled(Shape):
    success: Literal[True] = True


class AgentStep(Shape):
    """A step of a workflow; of a model's call of a tool with the tool and its arguments."""

    name: str
    status: str
    tool: str | None
    params: dict[str, Any] | None
    startedAt: Milliseconds | None  # noqa: N815
    finishedAt: Milliseconds | None  # noqa: N815


class AgentEdit(Shape):
    """A file that an agent has changed."""

    file: str
    operation: str = Field(description="The tool that changed it.")
    step: str


class ToolAsked(Shape):
    """A call of a tool that a model asked for."""

    toolName: str  # noqa: N815
    params: dict[str, Any]


class Said(Shape):
    """One message: of the model, of a tool, or of people by a signal."""

    role: Literal["user", "assistant", "tool"]
    content: str
    toolCalls: list[ToolAsked] = []  # noqa: N815
    toolName: str | None = None  # noqa: N815
    signalName: str | None = None  # noqa: N815


class PendingSignal(Shape):
    """A signal that a workflow waits for (AWAITED), or that it has received and not taken yet (RECEIVED)."""

    signalName: str  # noqa: N815
    status: Literal["AWAITED", "RECEIVED"]
    receivedAt: Milliseconds | None = None  # noqa: N815


MOST_STEPS = 200


class WorkflowView(Shape):
    """Where a workflow stands, or with `name` what its query says."""

    workflowId: UUID  # noqa: N815
    status: Status
    currentIteration: int | float | None = Field(description="From the run's progress.")  # noqa: N815
    maxIterations: int | float | None  # noqa: N815
    agentSteps: list[AgentStep] = Field(description=f"The newest {MOST_STEPS}, oldest first.")  # noqa: N815
    agentEdits: list[AgentEdit] = Field(description="Of those steps.")  # noqa: N815
    conversationHistory: list[Said] = Field(description="The task, and what was said in those steps.")  # noqa: N815
    pendingSignals: list[PendingSignal]  # noqa: N815
    lastUpdate: Milliseconds = Field(description="Time of its last event, in milliseconds since the epoch.")  # noqa: N815
    result: Any = Field(None, description="What the query `name` says; without one its output, null until it ends.")


class WorkflowUpdated(Shape):
    """What became of an update."""

    workflowId: UUID  # noqa: N815
    updateId: int  # noqa: N815
    status: str = Field(description="ACCEPTED, COMPLETED or FAILED.")
    result: Any
    error: str | None
