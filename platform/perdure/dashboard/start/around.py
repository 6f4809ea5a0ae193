"""What stands beside a start form: the person's run that is still going, inputs of before, presets."""

import json
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from flows.agents.naming import JOB as FLOW_JOB
from flows.pipelines.starting import JOB as PIPELINE_JOB
from perdure.dashboard.start.kept_input import without
from runs.jobs import visible_presets, visible_runs
from runs.models import Preset, Run
from runs.models.run import ENDED, RunStatus

GOING_SHOWN = 3
INPUTS_SHOWN = 6
RUNS_LOOKED_AT, RUNS_WITH_LABELS = 30, 2000
PRESETS_SHOWN = 50
_LONGEST_VALUE, _LONGEST = 60, 140


@dataclass(frozen=True)
class RecentInput:
    """An input with the newest run that had it; `said` is what distinguishes it, in a line."""

    run: Run
    said: str


@dataclass(frozen=True)
class Around:
    going: list[Run]
    recent: list[RecentInput]
    presets: list[Preset]


def read_around(user: Any, job: str, label: tuple[str, str] | None = None) -> Around:
    """Of all runs of `job`; with a `label` of those that have it."""
    runs = visible_runs(user).filter(job=job, parent=None)
    if label is not None:
        # Labels have no index, so only the newest are looked at.
        newest = runs.order_by("-id").values_list("id", "labels")[:RUNS_WITH_LABELS]
        runs = runs.filter(id__in=[run for run, labels in newest if labels.get(label[0]) == label[1]][:RUNS_LOOKED_AT])
    presets = visible_presets(user).filter(job=job).select_related("team").order_by("name")
    return Around(_going(user, runs), _recent(runs), list(presets[:PRESETS_SHOWN]) if label is None else [])


def _going(user: Any, runs: QuerySet[Run]) -> list[Run]:
    # The statuses by name: those that have not ended are few, and found by the index of statuses.
    mine = runs.filter(owner=user, status__in=[one for one in RunStatus if one not in ENDED]).order_by("-id")
    return list(mine.defer("input", "output")[:GOING_SHOWN])


def _recent(runs: QuerySet[Run]) -> list[RecentInput]:
    found: dict[str, RecentInput] = {}
    rows = runs.select_related("owner").order_by("-id").defer("output", "notes", "error")
    for run in rows[:RUNS_LOOKED_AT]:
        shown = without(run.input, run.secrets.get("input", []))
        shown = _given_by_people(run.job, shown)
        if shown not in (None, {}):
            found.setdefault(json.dumps(shown, sort_keys=True), RecentInput(run, said_of(shown)))
    return list(found.values())[:INPUTS_SHOWN]


def _given_by_people(job: str, value: Any) -> Any:
    """Of a flow's or a pipeline's run what its form asks for, without what pins its definition."""
    if not isinstance(value, dict) or job not in (FLOW_JOB, PIPELINE_JOB):
        return value
    if job == PIPELINE_JOB:
        return value.get("input")
    return {name: value.get(name) for name in ("task", "folder", "vars", "max_steps")}


def said_of(value: Any) -> str:
    """An input in a line: what was given, shortened."""
    if isinstance(value, dict):
        given = [(name, one) for name, one in value.items() if one not in (None, "", [], {}, False)]
        line = " · ".join(f"{name}: {_short(one)}" for name, one in given) or "nothing but defaults"
    else:
        line = _short(value)
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"


def _short(value: Any) -> str:
    if isinstance(value, list):
        return f"{len(value)} item{'' if len(value) == 1 else 's'}"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    line = " ".join(text[: 4 * _LONGEST_VALUE].split())
    return line if len(line) <= _LONGEST_VALUE else f"{line[: _LONGEST_VALUE - 1]}…"
