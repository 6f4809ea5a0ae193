"""What is sent to and answered by the doors to the catalogue of flows."""

from dataclasses import asdict
from typing import Annotated, Any

from pydantic import Field, JsonValue, StringConstraints

from flows.agents.errors import InvalidFlow
from flows.agents.graph import graph_of
from flows.agents.loader import as_document, digest_of
from flows.agents.run_input import MAX_TASK
from flows.agents.spec import Flow
from runs.api.requests import Body, BudgetLimits, Key, LabelKey, LabelValue
from runs.api.shapes import Page, Shape

Version = Annotated[str, StringConstraints(min_length=1, max_length=64)]


class FlowDocument(Body):
    """A flow as YAML or JSON text, or as the value itself."""

    document: str | dict[str, Any]


class StartFlow(Body):
    """A run of a flow to start."""

    task: str = Field("", max_length=MAX_TASK, description="What is to be done: `{task}` in the flow's texts.")
    version: Version | None = Field(None, description="Without it the newest.")
    folder: str = Field("", max_length=4096, description="Where agents work on files; one that the settings allow.")
    vars: dict[str, str] = Field(default_factory=dict, max_length=200, description="The flow's parameters, by name.")
    sessions: dict[str, JsonValue] = Field(
        default_factory=dict, max_length=200, description="Conversations that agents go on with, by session key."
    )
    max_steps: int | None = Field(None, ge=1, description="Tightens the flow's own limit.")
    single_step: bool = Field(False, description="The run waits before each further step until somebody lets it go on.")
    language: str | None = Field(None, pattern="^(en|ja)$", description="Of the built instructions.")
    team: Key | int | None = Field(None, description="Name or id of one of your teams, whose members see the run.")
    labels: dict[LabelKey, LabelValue] = Field(default_factory=dict, max_length=49)
    idempotency_key: Key | None = Field(
        None, description="A second request with the same key and input gets the first one's run."
    )
    budget: BudgetLimits | None = Field(None, description="What it may spend, within what the flow allows.")


class FlowSummary(Shape):
    """A flow that can be started, in its newest version."""

    name: str
    version: str
    description: str
    steps: list[str] = Field(description="Names, in the order of the file.")
    params: dict[str, Any] = Field(description="What a start may say in `vars`: by name, description and default.")
    agui: bool = Field(description="Whether chats over AG-UI can start it.")
    versions: list[str] = Field(description="All that can be started, the newest last.")

    @classmethod
    def of(cls, flow: Flow, versions: list[Flow]) -> "FlowSummary":
        params = flow.subflow.model_dump(mode="json")["params"]
        return cls(
            name=flow.name, version=flow.version, description=flow.description, params=params, agui=flow.agui,
            steps=[step.name for step in flow.steps], versions=[one.version for one in versions],
        )  # fmt: skip


class FlowPage(Page[FlowSummary]):
    """Every flow, by name."""


class FlowNode(Shape):
    name: str
    kind: str = Field(description="agent, parallel, flow, python, person, or end.")
    subs: list[str] = Field(description="Names of the sub-steps.")


class FlowEdge(Shape):
    source: str
    target: str
    label: str
    rule_index: int | None = Field(description="From 0; null where no rule leads this way.")
    kind: str = Field(description="rule, default, next, return, or monitor.")


class FlowGraph(Shape):
    nodes: list[FlowNode]
    edges: list[FlowEdge]
    initial: str


class FlowShape(FlowSummary):
    """A version of a flow as a whole."""

    digest: str = Field(description="SHA-256 of the definition; runs are pinned to it.")
    definition: dict[str, Any] = Field(description="With every file and every default written out.")
    graph: FlowGraph

    @classmethod
    def of(cls, flow: Flow, versions: list[Flow]) -> "FlowShape":
        summary = FlowSummary.of(flow, versions).model_dump()
        graph = FlowGraph.model_validate(asdict(graph_of(flow)))
        return cls(**summary, digest=digest_of(flow), definition=as_document(flow), graph=graph)


class FlowProblemShape(Shape):
    message: str
    path: str
    line: int = Field(description="From 1; 0 where there is no text to point at.")
    step: str = Field(description="Name of the step; empty outside of steps.")
    file: str = Field(description="Where it is not the document itself.")
    remedy: str


class FlowVerdict(Shape):
    """Whether a document is an agent flow, and if not, why."""

    valid: bool
    problems: list[FlowProblemShape]
    name: str | None
    version: str | None

    @classmethod
    def refused(cls, exc: InvalidFlow) -> "FlowVerdict":
        return cls(valid=False, problems=exc.details["problems"], name=None, version=None)
