"""What a run of the job `agent-flow` is started with."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, field_validator

from flows.agents.calls import Session
from providers.scripted.entries import InvalidScenario, entries_of

MAX_TASK = 200_000
_Digest = Annotated[str, Field(max_length=64)]


class FlowInput(BaseModel):
    """The input of a run; `definition` is the digest of the definition that the run is pinned to.

    Without it the run takes the newest definition of the version, or of all versions, when it begins. `definitions`
    are those of the flows that it calls, by name. `folder` is where agents work on files, if the flow has a workspace.
    `max_steps` tightens the flow's own. `scenario` holds what agents and judges answer in place of a model, signed by
    `scenario_key`: see `permit`.
    """

    model_config = ConfigDict(extra="forbid")

    flow: Annotated[str, Field(max_length=64, title="Flow", description="Its name.")]
    task: Annotated[str, Field(max_length=MAX_TASK, title="Task", description="What is to be done.")] = ""
    version: Annotated[str, Field(max_length=64, title="Version", description="Empty: the newest.")] = ""
    definition: Annotated[_Digest, Field(title="Digest", description="Pins one definition.")] = ""
    definitions: Annotated[dict[str, _Digest], Field(max_length=200)] = {}
    folder: Annotated[str, Field(max_length=4096)] = ""
    vars: Annotated[dict[str, str], Field(max_length=200)] = {}
    sessions: dict[str, JsonValue] = {}
    scenario: Annotated[list[dict[str, Any]], Field(max_length=10_000)] | None = None
    scenario_key: Annotated[str, Field(max_length=64)] = ""
    max_steps: Annotated[int, Field(ge=1)] | None = None
    single_step: bool = False
    language: Literal["en", "ja"] | None = None

    @field_validator("scenario")
    @classmethod
    def _fitting_entries(cls, entries: list[dict[str, Any]] | None) -> list[dict[str, Any]] | None:
        try:
            entries_of(entries or [])
        except InvalidScenario as exc:
            raise ValueError(str(exc)) from exc
        return entries

    @field_validator("sessions")
    @classmethod
    def _fitting_sessions(cls, sessions: dict[str, JsonValue]) -> dict[str, JsonValue]:
        for key, given in sessions.items():
            try:
                Session.of(given)
            except (TypeError, ValueError) as exc:
                raise ValueError(f"{key!r} is no list of messages and no id of a session") from exc
        return sessions
