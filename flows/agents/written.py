"""A flow as people write it, older keys renamed already: a text may be the name of a section's entry or of a file."""

import shlex
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from flows.agents import spec
from flows.agents.spec import SpecModel


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _command(value: Any) -> Any:
    return shlex.split(value) if isinstance(value, str) else value


def _report(value: Any) -> Any:
    """`path`, `{Label: path}` and `{name, order, format}` alike."""
    if isinstance(value, str):
        return {"name": value}
    if isinstance(value, dict) and len(value) == 1 and not value.keys() & Report.model_fields.keys():
        [(label, name)] = value.items()
        return {"name": name, "label": label}
    return value


def _ask(value: Any) -> Any:
    """The first line of a text is its title."""
    if not isinstance(value, str):
        return value
    title, _, body = value.strip().partition("\n")
    return {"title": title, "body": body.strip()}


MOST_RULES = 100
MOST_SUB_STEPS = 100
MOST_PARTS = 50
"""Of whatever else a step lists: a check looks at each of them, and whoever is signed in may ask for one."""

Texts = Annotated[tuple[str, ...], BeforeValidator(_listed), Field(max_length=MOST_PARTS)]
Version = Annotated[str, BeforeValidator(lambda value: str(value) if type(value) is int else value)]


class Persona(SpecModel):
    prompt: str = ""
    file: str | None = None
    agent: Literal["llm", "command"] = "llm"
    profile: str = "default"
    model: str | None = None
    command: str = ""


class Report(SpecModel):
    name: str
    label: str = ""
    format: str = ""
    order: str = ""


class Contracts(SpecModel):
    report: tuple[Annotated[Report, BeforeValidator(_report)], ...] = Field(default=(), max_length=MOST_PARTS)


class Structured(SpecModel):
    schema_: dict[str, Any] | None = Field(default=None, alias="schema")
    schema_ref: str | None = None


class Gate(SpecModel):
    type: Literal["command", "text"] | None = None
    name: str = ""
    text: str = ""
    command: Annotated[tuple[str, ...], BeforeValidator(_command)] = ()
    timeout_seconds: float | None = Field(default=None, gt=0, le=3600)
    timeout_ms: float | None = Field(default=None, gt=0, le=3_600_000)


class Step(SpecModel):
    name: spec.Name
    description: str = ""
    persona: str | None = None
    persona_name: str = ""
    policy: Texts = ()
    knowledge: Texts = ()
    instruction: Texts = ()
    edit: bool | None = None
    required_permission_mode: spec.Permission | None = None
    allowed_tools: tuple[str, ...] | None = None
    profile: str | None = None
    model: str | None = None
    session: Literal["continue", "refresh"] = "continue"
    session_key: str | None = None
    pass_previous_response: bool = True
    rules: tuple[spec.Rule, ...] = Field(default=(), max_length=MOST_RULES)
    default: str | None = None
    report: Annotated[
        tuple[Annotated[Report, BeforeValidator(_report)], ...],
        BeforeValidator(lambda value: [value] if isinstance(value, str | dict) else value),
        Field(max_length=MOST_PARTS),
    ] = ()
    output_contracts: Contracts = Contracts()
    structured_output: Structured | None = None
    quality_gates: tuple[Annotated[Gate, BeforeValidator(lambda one: {"text": one} if isinstance(one, str) else one)],
                         ...] = Field(default=(), max_length=MOST_PARTS)  # fmt: skip
    most_gate_rounds: int = Field(default=3, ge=1, le=20)
    parallel: tuple["Step", ...] | None = Field(default=None, max_length=MOST_SUB_STEPS)
    concurrency: int = Field(default=10, ge=1, le=100)
    kind: Literal["workflow_call"] | None = None
    call: str | None = None
    call_version: Version | None = None
    with_: dict[str, Annotated[str, BeforeValidator(lambda one: str(one) if type(one) is int else one)]] = Field(
        default={}, alias="with"
    )
    function: str | None = None
    ask: Annotated[spec.Asking, BeforeValidator(_ask)] | None = None


class Judge(SpecModel):
    persona: str | None = None
    instruction: Texts = ()
    rules: tuple[spec.Rule, ...] = Field(min_length=1, max_length=MOST_RULES)


class Monitor(SpecModel):
    cycle: tuple[str, ...] = Field(min_length=1, max_length=MOST_PARTS)
    threshold: int = Field(ge=1, le=spec.MOST_ROUNDS)
    ignore_steps: tuple[str, ...] = ()
    judge: Judge


class Flow(SpecModel):
    name: str = Field(pattern=r"^[\w][\w-]{0,63}$")
    version: Version = Field(default="1", pattern=r"^[\w][\w.-]{0,63}$")
    description: str = ""
    initial_step: str | None = None
    max_steps: Annotated[
        Annotated[int, Field(ge=1)] | None, BeforeValidator(lambda one: None if one == "infinite" else one)
    ] = 10
    language: Literal["en", "ja"] = "en"
    rule_order: Literal["default", "strict"] = "default"
    personas: dict[
        str, Annotated[Persona, BeforeValidator(lambda one: {"prompt": one} if isinstance(one, str) else one)]
    ] = {}
    policies: dict[str, str] = {}
    knowledge: dict[str, str] = {}
    instructions: dict[str, str] = {}
    report_formats: dict[str, str] = {}
    schemas: dict[str, str | dict[str, Any]] = {}
    steps: tuple[Step, ...] = Field(min_length=1, max_length=200)
    loop_detection: spec.LoopDetection = spec.LoopDetection()
    loop_monitors: tuple[Monitor, ...] = Field(default=(), max_length=MOST_PARTS)
    workspace: (
        Annotated[spec.Workspace, BeforeValidator(lambda one: {"kind": one} if isinstance(one, str) else one)] | None
    ) = None
    subflow: spec.Subflow = spec.Subflow()
    interventions: Literal["next_step", "interrupt"] = "next_step"
    budget: dict[str, Any] | None = None
    agui: bool = False
    answer_agent: Annotated[str, Field(min_length=1)] | None = None
