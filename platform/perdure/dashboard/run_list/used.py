"""What the runs of a page have used."""

from collections.abc import Iterable
from uuid import UUID

from perdure.dashboard.run_list.filters import RunFilter
from perdure.dashboard.usage.figures import COST_UNIT, Figures
from runs.jobs import usage_of
from runs.models import Run


def figures_of(ids: Iterable[UUID]) -> dict[UUID, Figures]:
    """Of those that used something."""
    return {run_id: Figures(*used[:3], used.cost / COST_UNIT) for run_id, used in usage_of(ids).items()}


def add_figures(runs: list[Run], wanted: RunFilter) -> None:
    """`run.used` for each, where a column shows it: asked for these runs alone, whatever their number of attempts."""
    if {"tokens", "cost"} & set(wanted.shows):
        found = figures_of(run.pk for run in runs)
        for run in runs:
            run.used = found.get(run.pk)  # type: ignore[attr-defined]
