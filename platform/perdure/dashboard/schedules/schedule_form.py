"""The form of a schedule: when, what if it overlaps or was missed, and for whom."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.contrib.auth.models import Group

from runs.errors import InvalidOption
from runs.jobs import zones
from runs.models import CatchUp, Overlap, Schedule

KINDS = [("cron", "Again and again"), ("once", "Once")]
OVERLAPS = [
    (Overlap.SKIP, "skip this time"),
    (Overlap.QUEUE, "wait for its end, then run"),
    (Overlap.ALLOW, "run beside it"),
]
CATCH_UPS = [
    (CatchUp.LAST, "start once"),
    (CatchUp.ALL, "start all, in order (at most 100)"),
    (CatchUp.NONE, "start none"),
]
CRONS = [
    ("0 * * * *", "Every hour"),
    ("0 3 * * *", "Every night at 3:00"),
    ("0 9 * * *", "Every day at 9:00"),
    ("0 9 * * 1-5", "On working days at 9:00"),
    ("0 9 * * 1", "On Mondays at 9:00"),
    ("0 9 1 * *", "On the first of each month at 9:00"),
]
_UNITS = timedelta(hours=1)


class ScheduleForm(forms.Form):
    """`spec()` is what `runs.jobs.ScheduleSpec` takes, but for the job and its input."""

    prefix = "when"
    name = forms.CharField(max_length=200)
    kind = forms.ChoiceField(label="How often", choices=KINDS, widget=forms.RadioSelect, initial="cron")
    cron = forms.CharField(
        label="Cron expression",
        max_length=200,
        help_text="Minute, hour, day of month, month, day of week: 0 9 * * 1-5 is at 9:00 on working days.",
        widget=forms.TextInput(
            attrs={"placeholder": "0 9 * * 1-5", "list": "crons", "spellcheck": "false", "autocomplete": "off"}
        ),
    )
    at = forms.DateTimeField(
        label="Date and time",
        widget=forms.DateTimeInput(attrs={"type": "datetime-local", "step": 60}, format="%Y-%m-%dT%H:%M"),
    )
    timezone = forms.CharField(
        label="Time zone",
        max_length=64,
        initial="UTC",
        widget=forms.TextInput(attrs={"list": "zones", "spellcheck": "false", "autocomplete": "off"}),
    )
    overlap = forms.ChoiceField(label="If its last run is still under way", choices=OVERLAPS)
    catch_up = forms.ChoiceField(label="If times were missed while no worker ran", choices=CATCH_UPS)
    catch_up_within = forms.IntegerField(
        label="Missed times count for so many hours", min_value=1, max_value=744, initial=24
    )
    team = forms.ModelChoiceField(Group.objects.none(), required=False, empty_label="Only me")
    labels = forms.CharField(
        required=False, widget=forms.Textarea(attrs={"rows": 3}), help_text="One on each line, as in kind=report."
    )
    queue = forms.CharField(max_length=100, required=False, help_text="Empty: the job's own.")
    priority = forms.IntegerField(
        min_value=-1000, max_value=1000, initial=0, required=False, help_text="Higher goes first."
    )

    def __init__(self, user: Any, data: Any = None, schedule: Schedule | None = None, labels: Any = None) -> None:
        super().__init__(data, initial=_initial(schedule) if schedule else {"labels": _lines(labels or {})})
        self.schedule = schedule
        other = {"cron": "at", "once": "cron"}.get(str(data.get("when-kind")), "") if data is not None else ""
        for name in ("cron", "at"):
            self.fields[name].required = name != other
        teams = user.groups.all()
        if schedule is not None and schedule.team_id is not None:
            teams = teams | Group.objects.filter(pk=schedule.team_id)
        self.fields["team"].queryset = teams.distinct()  # type: ignore[attr-defined]

    @property
    def first_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in ("name", "kind", "cron", "at", "timezone")]

    @property
    def policies(self) -> list[forms.BoundField]:
        return [self[name] for name in ("overlap", "catch_up", "catch_up_within")]

    @property
    def more(self) -> list[forms.BoundField]:
        return [self[name] for name in ("labels", "queue", "priority")]

    @property
    def more_is_open(self) -> bool:
        return any(field.errors or field.value() not in ("", None, 0, "0") for field in self.more)

    @property
    def crons(self) -> list[tuple[str, str]]:
        return CRONS

    @property
    def zones(self) -> list[str]:
        return zones()

    def clean_labels(self) -> dict[str, str]:
        pairs = [line.partition("=") for line in self.cleaned_data["labels"].splitlines() if line.strip()]
        if any(not sign or not key.strip() for key, sign, _ in pairs):
            raise forms.ValidationError("Write each label as name=value.")
        return {key.strip(): value.strip() for key, _, value in pairs}

    def clean(self) -> dict[str, Any]:
        """The time is read in the time zone of the form."""
        found = super().clean() or self.cleaned_data
        zone = found.get("timezone", "")
        if found.get("at") and zone in zones():
            found["at"] = found["at"].replace(tzinfo=ZoneInfo(zone))
        return found

    def spec(self) -> dict[str, Any]:
        same = ("name", "timezone", "overlap", "catch_up", "team", "labels", "queue")
        found = self.cleaned_data
        is_cron = found["kind"] == "cron"
        return {name: found[name] for name in same} | {
            "priority": found["priority"] or 0,
            "cron": found["cron"] if is_cron else "",
            "at": None if is_cron else self._unless_same("at", found["at"], lambda one: one.at),
            "catch_up_within": self._unless_same("catch_up_within", found["catch_up_within"] * _UNITS, _within),
        }

    def _unless_same(self, name: str, value: Any, kept: Callable[[Schedule], Any]) -> Any:
        """The kept value where the field was left as it was shown: it shows minutes and hours only."""
        shown = self.initial.get(name)
        if self.schedule is None or shown is None or "timezone" in self.changed_data:
            return value
        left = self[name].value() in (str(shown), f"{shown:%Y-%m-%dT%H:%M}" if name == "at" else "")
        return kept(self.schedule) if left else value

    def add_refusal(self, refusal: InvalidOption) -> None:
        self.add_error(refusal.option if refusal.option in self.fields else None, str(refusal))


def _within(schedule: Schedule) -> timedelta:
    return timedelta(seconds=schedule.catch_up_seconds)


def _initial(schedule: Schedule) -> dict[str, Any]:
    same = ("name", "cron", "timezone", "overlap", "catch_up", "queue", "priority")
    return {name: getattr(schedule, name) for name in same} | {
        "kind": "cron" if schedule.cron else "once",
        "at": _local(schedule.at, schedule.timezone),
        "catch_up_within": max(1, round(schedule.catch_up_seconds / _UNITS.total_seconds())),
        "team": schedule.team_id,
        "labels": _lines(schedule.labels),
    }


def _local(at: datetime | None, zone: str) -> datetime | None:
    """As the field shows it: without a zone, else Django would move it to its own."""
    if at is None or zone not in zones():
        return at
    return at.astimezone(ZoneInfo(zone)).replace(tzinfo=None)


def _lines(labels: dict[str, str]) -> str:
    return "\n".join(f"{key}={value}" for key, value in labels.items())
