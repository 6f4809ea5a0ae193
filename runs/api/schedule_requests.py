"""What the doors of schedules and presets take."""

from datetime import timedelta
from typing import Annotated, Any

from pydantic import ConfigDict, Field, StringConstraints

from runs.api.requests import Body, Key, LabelKey, LabelValue
from runs.api.times import Rfc3339
from runs.models import CatchUp, Overlap

Version = Annotated[str, StringConstraints(min_length=1, max_length=100)]
Cron = Annotated[str, StringConstraints(max_length=200)]
Zone = Annotated[str, StringConstraints(max_length=64)]
Labels = Annotated[dict[LabelKey, LabelValue], Field(max_length=50)]
Team = Key | int
OverlapName = Annotated[Overlap, Field(strict=False)]
CatchUpName = Annotated[CatchUp, Field(strict=False)]
Seconds = Annotated[int, Field(ge=60, le=31 * 86_400)]
Priority = Annotated[int, Field(ge=-1000, le=1000)]

_CRON = "Minute, hour, day of month, month, day of week; this or `at`."
_VERSION = "Version of the job; null: the newest at that time."
_TEAM = "Name or id of one of your teams, whose members see and change it."
_WITHIN = "Seconds. What was missed for longer is not made up for."


def _without_defaults(schema: dict[str, Any]) -> None:
    """What is not sent stays as it is, so no default is true."""
    for field in schema.get("properties", {}).values():
        field.pop("default", None)


class Change(Body):
    model_config = ConfigDict(json_schema_extra=_without_defaults)


class CreateSchedule(Body):
    """When a job is started by itself. The job with its input, or a preset of which both are taken over."""

    name: Key
    job: Key | None = Field(None, description="Name of a registered job.")
    input: Any = Field(None, description="What the job's input schema asks for.")
    preset: str | None = Field(None, description="Id of a preset whose job, input and labels are taken over.")
    version: Version | None = Field(None, description=_VERSION)
    cron: Cron | None = Field(None, description=_CRON, examples=["0 9 * * 1-5"])
    timezone: Zone = Field("UTC", description="IANA name of the zone that `cron` is read in.")
    at: Rfc3339 | None = Field(None, description="The one time, instead of `cron`.")
    overlap: OverlapName = Field(Overlap.SKIP, description="While a run of it is under way: skip, queue or allow.")
    catch_up: CatchUpName = Field(CatchUp.LAST, description="Of missed times: none, the last or all (at most 100).")
    catch_up_within: Seconds = Field(86_400, description=_WITHIN)
    labels: Labels = Field(default_factory=dict)
    queue: Version | None = None
    priority: Priority = 0
    team: Team | None = Field(None, description=_TEAM)
    paused: bool = False


class ChangeSchedule(Change):
    """What is to be different; `cron` replaces `at`, and the other way round."""

    name: Key = ""
    job: Key = ""
    input: Any = None
    version: Version | None = Field(None, description=_VERSION)
    cron: Cron | None = Field(None, description=_CRON)
    timezone: Zone = ""
    at: Rfc3339 | None = None
    overlap: OverlapName = Overlap.SKIP
    catch_up: CatchUpName = CatchUp.LAST
    catch_up_within: Seconds = Field(86_400, description=_WITHIN)
    labels: Labels = Field(default_factory=dict)
    queue: Version | None = None
    priority: Priority = 0
    team: Team | None = Field(None, description=_TEAM)


class TriggerSchedule(Body):
    """A run now."""

    idempotency_key: Annotated[str, StringConstraints(min_length=1, max_length=100)] | None = Field(
        None, description="A second request with the same key gets the first one's run."
    )


class CreatePreset(Body):
    """A job with an input and labels, under a name."""

    name: Key
    job: Key = Field(description="Name of a registered job.")
    input: Any = Field(None, description="What the job's input schema asks for.")
    labels: Labels = Field(default_factory=dict)
    team: Team | None = Field(None, description=_TEAM)


class ChangePreset(Change):
    """What is to be different."""

    name: Key = ""
    job: Key = ""
    input: Any = None
    labels: Labels = Field(default_factory=dict)
    team: Team | None = Field(None, description=_TEAM)


class StartPreset(Body):
    """A run of a preset."""

    idempotency_key: Key | None = Field(None, description="A second request with the same key gets the first's run.")


def given(body: Body) -> dict[str, Any]:
    """The fields that were sent, in the terms of `runs.jobs`; the team is left to the door."""
    sent = {name: getattr(body, name) for name in body.model_fields_set if name not in ("team", "paused", "preset")}
    for name in ("version", "queue", "cron"):
        if name in sent:
            sent[name] = sent[name] or ""
    if "catch_up_within" in sent:
        sent["catch_up_within"] = timedelta(seconds=sent["catch_up_within"])
    return sent
