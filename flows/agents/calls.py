"""What an agent is asked to do, and what comes of it: the same for a model and for a program."""

from dataclasses import dataclass, field, replace
from typing import Any, Literal, Protocol

from flows.agents import spec
from providers.messages import Message
from providers.replies import Usage
from providers.scripted.entries import Entry
from runs.jobs import StepContext


@dataclass(frozen=True, slots=True)
class Session:
    """An agent's conversation: of a model its messages without the system's, of a program the id that it gave."""

    messages: tuple[Message, ...] = ()
    id: str = ""

    @classmethod
    def of(cls, given: Any) -> "Session":
        """One that a run is started with: a program's id, or a list of messages. Raises pydantic's ValidationError."""
        if isinstance(given, str):
            return cls(id=given)
        messages = tuple(Message.model_validate(one) for one in given)
        return cls(messages=tuple(one for one in messages if one.role != "system"))


class Scene(Protocol):
    """What an agent's work needs of the run that it is part of; `flows.agents.scene.Scene` is one."""

    @property
    def step(self) -> StepContext: ...
    @property
    def flow(self) -> spec.Flow: ...
    @property
    def folder(self) -> str:
        """The run's workspace, an absolute path; empty for a run without one."""
        ...

    @property
    def language(self) -> str:
        """`en` or `ja`: in which agents are talked to."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentCall:
    """One piece of work for one agent. `name` is that of its first recorded step, of which all others begin.

    `step` is the flow's step, or the one of a parallel step. `entry` is what a script has the agent answer.
    """

    scene: Scene
    name: str
    step: spec.Step
    persona: spec.Persona
    system: str
    instruction: str
    session: Session | None = None
    entry: Entry | None = None

    @property
    def language(self) -> str:
        return self.scene.language

    def again(self, name: str, instruction: str, session: Session | None) -> "AgentCall":
        """The agent goes on in its session."""
        return replace(self, name=name, instruction=instruction, session=session)


Status = Literal["done", "blocked", "error"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the agent gave. `content` is the whole text, `structured` what its output_schema describes.

    `error` says why there is none, and `failed_steps` names the recorded steps to try again for another one. It is
    JSON for pydantic.
    """

    status: Status
    content: str = ""
    structured: Any = None
    session: Session | None = None
    reports: dict[str, str] = field(default_factory=dict)
    error: str = ""
    failed_steps: tuple[str, ...] = ()
    usage: Usage | None = None
