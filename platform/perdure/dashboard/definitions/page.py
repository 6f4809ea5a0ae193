"""What the page of a pipeline or an agent flow shows: one of its versions, the others, and its runs."""

from dataclasses import dataclass
from typing import Any

import yaml
from django.urls import reverse

from flows.documents.versions import KnownVersion
from perdure.dashboard.documents import KINDS
from runs.jobs import visible_runs
from runs.models import Run

RUNS_SHOWN = 25
RUNS_LOOKED_AT = 2000
"""Of the newest of the job: all pipelines are runs of one job, and labels have no index."""
TABS = {"start": "Start", "source": "Source", "versions": "Versions", "runs": "Runs"}
JOBS = {kind: job for job, kind in KINDS.items()}


@dataclass(frozen=True)
class Tab:
    label: str
    href: str
    count: int | None
    current: bool


@dataclass(frozen=True)
class DefinitionPage:
    """`kind` is pipeline or flow, `shown` the version that was asked for, else the newest."""

    kind: str
    name: str
    versions: list[KnownVersion]
    shown: KnownVersion
    tab: str

    @property
    def title(self) -> str:
        return getattr(self.newest.made, "title", "") or self.name

    @property
    def url_name(self) -> str:
        return f"dashboard:{self.kind}"

    @property
    def newest(self) -> KnownVersion:
        return self.versions[0]

    @property
    def source(self) -> str:
        return source_of(self.shown)

    @property
    def language(self) -> str:
        return "json" if self.source.lstrip().startswith("{") else "yaml"


def read_definition(kind: str, name: str, versions: list[KnownVersion], digest: str, tab: str) -> DefinitionPage | None:
    """The version of this digest, without one the newest. None where there is none that can be started, or no such."""
    shown = next((one for one in versions if digest in ("", one.digest)), None)
    if shown is None or not versions[0].can_start:
        return None
    return DefinitionPage(kind, name, versions, shown, tab if tab in TABS else "start")


def tabs_of(page: DefinitionPage) -> list[Tab]:
    """The tabs of the page as addresses."""
    here = reverse(f"dashboard:{page.kind}", args=[page.name])
    counts = {"versions": len(page.versions)}
    return [
        Tab(label, here if key == "start" else f"{here}?tab={key}", counts.get(key), key == page.tab)
        for key, label in TABS.items()
    ]


def source_of(version: KnownVersion) -> str:
    """As people wrote it; where that is gone, the whole document."""
    return version.text if version.text is not None else written_out(version)


def written_out(version: KnownVersion) -> str:
    """The document with every default, as YAML."""
    return str(yaml.dump(version.document, sort_keys=False, allow_unicode=True, width=110, Dumper=_Dumper))


def recent_runs(user: Any, kind: str, name: str) -> list[Run]:
    """Its newest runs that the person may see, among the newest of its job."""
    of_job = visible_runs(user).filter(job=JOBS[kind]).order_by("-id")
    found = [run for run, labels in of_job.values_list("id", "labels")[:RUNS_LOOKED_AT] if labels.get(kind) == name]
    shown = visible_runs(user).filter(id__in=found[:RUNS_SHOWN]).select_related("owner", "team")
    return list(shown.order_by("-id"))


class _Dumper(yaml.SafeDumper):
    """Texts of several lines stand as blocks, as people write them."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)
