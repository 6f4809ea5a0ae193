"""An agent flow as it is once it is loaded: every file read, every older key and every default written out."""

from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

COMPLETE, ABORT = "COMPLETE", "ABORT"
"""Targets of rules that are no steps."""

MOST_ROUNDS = 1000
"""Of a cycle: a monitor remembers every step of them."""

Name = Annotated[str, Field(pattern=r"^[\w][\w .-]{0,49}$")]
Text = str


class SpecModel(BaseModel):
    """What all parts share: they never change, and know no other keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Permission(StrEnum):
    """What an agent may do. `ASK` is readonly, but what would change something is asked about."""

    READONLY = "readonly"
    ASK = "ask"
    EDIT = "edit"
    FULL = "full"


class Rule(SpecModel):
    """`condition` as written: a plain label, `ai("...")`, `when(...)`, `all(...)`, `any(...)`.

    Of a sub-step it has no target. `return_` ends a sub-flow with a label. `appendix` is shown to the agent.
    """

    condition: str = Field(min_length=1, max_length=1000)
    next: str | None = None
    return_: str | None = Field(default=None, alias="return")
    appendix: Text = ""
    requires_user_input: bool = False


class Persona(SpecModel):
    """Who does a step: `llm` asks a model of a provider profile, `command` is a program that the settings name."""

    prompt: Text = ""
    agent: Literal["llm", "command"] = "llm"
    profile: str = "default"
    model: str | None = None
    command: str = ""


class Report(SpecModel):
    """A document that a step writes into the run's artefacts, as `name`. `format` is told to the agent."""

    name: str = Field(pattern=r"^[\w][\w .-]{0,99}$")
    label: str = ""
    format: Text = ""
    order: Text = ""


class Gate(SpecModel):
    """What must hold after a step: a text is told to the agent; a command must exit with 0."""

    name: str = ""
    text: Text = ""
    command: tuple[str, ...] = ()
    timeout_seconds: float = Field(default=300, gt=0, le=3600)


class Asking(SpecModel):
    """What a person step asks, as `hitl.questions.ask` takes it. Variables in `title` and `body` are filled in."""

    kind: Literal["approval", "input", "choice"] = "approval"
    title: str = Field(min_length=1, max_length=180)
    body: Text = ""
    schema_: dict[str, Any] | None = Field(default=None, alias="schema")
    choices: tuple[str, ...] = ()
    to: tuple[str, ...] = ()
    quorum: int = Field(default=1, ge=1, le=100)
    deadline_seconds: float | None = Field(default=None, gt=0, le=10 * 366 * 86_400)
    starter_may_answer: bool = True


class Step(SpecModel):
    """One step. What it is stands in exactly one of: `persona` (an agent), `parallel`, `call`, `function`, `ask`."""

    name: Name
    description: Text = ""
    persona: str | None = None
    persona_name: str = ""
    policy: tuple[str, ...] = ()
    knowledge: tuple[str, ...] = ()
    instruction: Text = "{task}"
    edit: bool | None = None
    permission: Permission = Permission.READONLY
    allowed_tools: tuple[str, ...] | None = None
    profile: str | None = None
    model: str | None = None
    session: Literal["continue", "refresh"] = "continue"
    session_key: str | None = None
    pass_previous_response: bool = True
    rules: tuple[Rule, ...] = ()
    default: str | None = None
    reports: tuple[Report, ...] = ()
    output_schema: dict[str, Any] | None = None
    quality_gates: tuple[Gate, ...] = ()
    most_gate_rounds: int = Field(default=3, ge=1, le=20)
    parallel: tuple["Step", ...] = ()
    concurrency: int = Field(default=10, ge=1, le=100)
    call: str | None = None
    call_version: str | None = None
    with_: dict[str, str] = Field(default={}, alias="with")
    function: str | None = None
    ask: Asking | None = None

    @property
    def permitted(self) -> Permission:
        """`edit: false` leaves nothing but reading, whatever else the step says."""
        return Permission.READONLY if self.edit is False else self.permission

    @property
    def kind(self) -> Literal["agent", "parallel", "flow", "python", "person"]:
        if self.parallel:
            return "parallel"
        if self.call:
            return "flow"
        if self.function:
            return "python"
        return "person" if self.ask else "agent"


class Judge(SpecModel):
    """Who judges a loop."""

    persona: str | None = None
    instruction: Text = ""
    rules: tuple[Rule, ...] = Field(min_length=1)


class LoopMonitor(SpecModel):
    """`cycle` names steps in order; after `threshold` rounds of it the judge chooses how it goes on."""

    cycle: tuple[str, ...] = Field(min_length=1)
    threshold: int = Field(ge=1, le=MOST_ROUNDS)
    ignore_steps: tuple[str, ...] = ()
    judge: Judge


class LoopDetection(SpecModel):
    max_consecutive_same_step: int = Field(default=10, ge=1)
    action: Literal["warn", "abort", "ignore"] = "warn"


class Workspace(SpecModel):
    """Where agents that work on files do so: the folder that the start names, or a working copy of it."""

    kind: Literal["folder", "git-worktree"] = "folder"
    at_end: Literal["keep", "remove"] = "keep"


class Parameter(SpecModel):
    """Of a sub-flow: filled into texts as `{var:name}`."""

    description: str = ""
    default: str | None = None


class Subflow(SpecModel):
    """Whether other flows may call this one, what they hand over, and the labels it may return."""

    callable: bool = False
    params: dict[str, Parameter] = {}
    returns: tuple[str, ...] = ()


class Flow(SpecModel):
    """A whole agent flow. `max_steps` is None for `infinite`. `answer_agent` is the persona asked before people are."""

    name: str = Field(pattern=r"^[\w][\w-]{0,63}$")
    version: str = Field(default="1", pattern=r"^[\w][\w.-]{0,63}$")
    description: Text = ""
    initial_step: str
    max_steps: int | None = Field(default=10, ge=1)
    rule_order: Literal["default", "strict"] = "default"
    language: Literal["en", "ja"] = "en"
    personas: dict[str, Persona] = {}
    policies: dict[str, Text] = {}
    knowledge: dict[str, Text] = {}
    steps: tuple[Step, ...] = Field(min_length=1, max_length=200)
    loop_detection: LoopDetection = LoopDetection()
    loop_monitors: tuple[LoopMonitor, ...] = ()
    workspace: Workspace | None = None
    subflow: Subflow = Subflow()
    interventions: Literal["next_step", "interrupt"] = "next_step"
    budget: dict[str, Any] | None = None
    agui: bool = False
    answer_agent: str | None = None

    def step(self, name: str) -> Step | None:
        """A step of the flow itself, not one of `parallel`."""
        return next((one for one in self.steps if one.name == name), None)
