"""What a run of the job `agent-flow` is started with."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, field_validator

from flows.agents.calls import Session
from providers.scripted.entries import InvalidScenario, entries_of

MAX_TASK = 200_000
_Digest = Annotated[str, Field(max_length=64)]
INTERNAL = {"internal": True}
"""Marks what code alone fills in: no form has a field for it."""


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
    definition: Annotated[
        _Digest, Field(title="Digest", description="Pins one definition.", json_schema_extra=INTERNAL)
    ] = ""
    definitions: Annotated[dict[str, _Digest], Field(max_length=200, json_schema_extra=INTERNAL)] = {}
    folder: Annotated[str, Field(max_length=4096, description="Where its agents work on files.")] = ""
    vars: Annotated[dict[str, str], Field(max_length=200, title="Variables", description="By name.")] = {}
    sessions: Annotated[dict[str, JsonValue], Field(json_schema_extra=INTERNAL)] = {}
    scenario: Annotated[
        Annotated[list[dict[str, Any]], Field(max_length=10_000)] | None, Field(json_schema_extra=INTERNAL)
    ] = None
    scenario_key: Annotated[str, Field(max_length=64, json_schema_extra=INTERNAL)] = ""
    max_steps: Annotated[
        Annotated[int, Field(ge=1)] | None, Field(title="Most iterations", description="Tightens the flow's own limit.")
    ] = None
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
