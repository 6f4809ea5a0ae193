"""The tabs of a run's page: one entry a tab, in the order shown; a tab shows only where it has something."""

from collections.abc import Callable
from dataclasses import dataclass

from django.urls import reverse

from flows.agents.naming import JOB as FLOW
from flows.pipelines.starting import JOB as PIPELINE
from perdure.dashboard.run.family import has_family
from runs.models import Artifact, Run, State


@dataclass(frozen=True)
class Tab:
    """`count` gives the number beside the label, None for none; both functions may read one small row or count."""

    key: str
    label: str
    url_name: str
    shown: Callable[[Run], bool] = lambda run: True
    count: Callable[[Run], int | None] = lambda run: None


@dataclass(frozen=True)
class TabLink:
    """One tab of one run as `_tabs.html` shows it."""

    key: str
    label: str
    href: str
    count: int | None
    current: bool


def _asks(run: Run) -> bool:
    return run.questions.exists()


def _has_files(run: Run) -> bool:
    return Artifact.objects.filter(run=run).exists()


def _files(run: Run) -> int:
    return Artifact.objects.filter(run=run).values("name").distinct().count()


def has_graph(run: Run) -> bool:
    """Whether its job follows a drawing that people know."""
    return run.job in (PIPELINE, FLOW)


def has_state(run: Run) -> bool:
    """Whether its job has set one."""
    return State.objects.filter(run=run).exists()


TABS = (
    Tab("overview", "Overview", "run"),
    Tab("timeline", "Timeline", "run-timeline"),
    Tab("conversation", "Conversation", "run-conversation", shown=lambda run: run.steps.filter(kind="stream").exists()),
    Tab("steps", "Steps", "run-steps", count=lambda run: run.steps.count()),
    Tab("graph", "Graph", "run-graph", shown=has_graph),
    Tab("state", "State", "run-state", shown=has_state),
    Tab("questions", "Questions", "run-questions", shown=_asks, count=lambda run: run.questions.count()),
    Tab("files", "Files", "run-files", shown=_has_files, count=_files),
    Tab("tree", "Tree", "run-tree", shown=has_family),
    Tab("log", "Log", "run-log", count=lambda run: run.last_sequence),
    Tab("audit", "Audit", "run-audit"),
)


def read_tabs(run: Run, current: str) -> list[TabLink]:
    """Those that have something, and the current one whatever it has."""
    return [_link(tab, run, current) for tab in TABS if tab.key == current or tab.shown(run)]


def _link(tab: Tab, run: Run, current: str) -> TabLink:
    address = reverse(f"dashboard:{tab.url_name}", args=[run.pk])
    return TabLink(tab.key, tab.label, address, tab.count(run), current=tab.key == current)
