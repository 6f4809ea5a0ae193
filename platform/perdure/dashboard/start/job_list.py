"""What can be started, as one list: jobs by the app that brings them, agent flows, pipelines."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from django.urls import reverse

from flows.agents.catalogue import all_flows
from flows.agents.naming import JOB as FLOW_JOB
from flows.pipelines.catalogue import all_pipelines
from flows.pipelines.starting import JOB as PIPELINE_JOB
from perdure.dashboard.catalogue import JobCard, latest_jobs
from runs.jobs import visible_runs

RECENT_SHOWN = 4
RUNS_LOOKED_AT = 100
"""Of the person's newest, for what they started last."""
FLOWS, PIPELINES = "Agent flows", "Pipelines"


@dataclass(frozen=True)
class Startable:
    """A job, an agent flow or a pipeline. `href` is where it is started, `about` its definition page, if it has one."""

    name: str
    title: str
    summary: str
    version: str
    group: str
    href: str
    runs: str
    about: str = ""


@dataclass(frozen=True)
class JobList:
    """`recent` are those that the person started last; it is empty while something is searched for."""

    groups: list[tuple[str, list[Startable]]]
    recent: list[Startable]
    found: int
    total: int


def read_job_list(user: Any, text: str) -> JobList:
    """All that holds each word of `text` in its name, its group or what it is for."""
    everything = list(_everything())
    words = text.casefold().split()
    found = [one for one in everything if all(word in _searched(one) for word in words)]
    recent = [] if words else _recent(user, everything)
    groups = [(name, list(ones)) for name, ones in groupby(found, key=lambda one: one.group)]
    return JobList(groups, recent, len(found), len(everything))


def _everything() -> Iterator[Startable]:
    cards = [card for card in latest_jobs() if card.name not in (FLOW_JOB, PIPELINE_JOB)]
    for card in sorted(cards, key=lambda card: (card.app, card.name)):
        yield _of_job(card)
    for flow in all_flows():
        about = reverse("dashboard:flow", args=[flow.name])
        yield Startable(
            flow.name, flow.name, flow.description, flow.version, FLOWS, f"{about}#start",
            _runs(FLOW_JOB, "flow", flow.name), about,
        )  # fmt: skip
    for made in all_pipelines():
        about = reverse("dashboard:pipeline", args=[made.type])
        yield Startable(
            made.type, made.title or made.type, made.description, made.version, PIPELINES, f"{about}#start",
            _runs(PIPELINE_JOB, "pipeline", made.type), about,
        )  # fmt: skip


def _of_job(card: JobCard) -> Startable:
    href, runs = reverse("dashboard:start", args=[card.name]), reverse("dashboard:run-list", query={"job": card.name})
    return Startable(card.name, card.name, card.summary, card.version, card.app, href, runs)


def _runs(job: str, label: str, name: str) -> str:
    return reverse("dashboard:run-list", query={"job": job, "label": f"{label}={name}"})


def _searched(one: Startable) -> str:
    return f"{one.name} {one.title} {one.group} {one.summary}".casefold()


def _recent(user: Any, everything: list[Startable]) -> list[Startable]:
    mine = visible_runs(user).filter(owner=user, parent=None).order_by("-id").values_list("job", "labels")
    known = {(one.group if one.group in (FLOWS, PIPELINES) else "", one.name): one for one in everything}
    keys = dict.fromkeys(_key(job, labels) for job, labels in mine[:RUNS_LOOKED_AT])
    return [known[key] for key in keys if key in known][:RECENT_SHOWN]


def _key(job: str, labels: dict[str, str]) -> tuple[str, str]:
    if job == FLOW_JOB:
        return FLOWS, labels.get("flow", "")
    return (PIPELINES, labels.get("pipeline", "")) if job == PIPELINE_JOB else ("", job)
