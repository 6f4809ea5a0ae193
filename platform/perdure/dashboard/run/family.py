"""A run among its parents, children and forks."""

from dataclasses import dataclass, field
from typing import Any

from django.db.models import Q

from runs.jobs import visible_runs
from runs.models import Run

SHOWN = 500
"""Runs of one tree, the oldest first."""
DEEPEST = 20
"""Generations that stand below one another; later ones stand beside each other, or no page could draw them."""


@dataclass
class Branch:
    """A run and what came of it; `is_fork` says that its parent here is the run that it was forked from."""

    run: Run
    is_here: bool
    is_fork: bool = False
    branches: list["Branch"] = field(default_factory=list)


@dataclass(frozen=True)
class Tree:
    """`tops` are runs whose parent is not shown: the root, or what is visible of a hidden root's family."""

    tops: list[Branch]
    is_cut: bool
    is_live: bool


def has_family(run: Run) -> bool:
    """Whether it has a parent, a child, a fork, or an origin; whether anybody may see them is not asked."""
    if run.parent_id or run.forked_from_id:
        return True
    return Run.objects.filter(Q(parent=run) | Q(forked_from=run)).exists()


def read_tree(user: Any, run: Run) -> Tree:
    """The whole family under the root of the run, and what any of them was forked from and to, one step far.

    Of others' runs nothing is shown.
    """
    visible = visible_runs(user).defer("output", "error", "notes").order_by("id")
    root = run.root_id or run.pk
    near = Q(parent=run) | Q(pk__in=[run.pk, run.parent_id])
    family = list(visible.filter(Q(pk=root) | Q(root=root) | near)[: SHOWN + 1])
    if run.pk not in {one.pk for one in family[:SHOWN]}:
        family.insert(0, run)
    ids = [one.pk for one in family]
    origins = [one.forked_from_id for one in family if one.forked_from_id]
    forked = list(visible.filter(Q(forked_from__in=ids) | Q(pk__in=origins)).exclude(pk__in=ids)[: SHOWN + 1])
    shown = sorted([*family[:SHOWN], *forked[:SHOWN]], key=lambda one: one.pk)
    return Tree(
        _grown(shown, run), max(len(family), len(forked)) > SHOWN, any(not one.has_ended for one in shown)
    )  # fmt: skip


def _grown(runs: list[Run], here: Run) -> list[Branch]:
    """A child stands below its parent, and below that alone, also where it is a fork of another run too."""
    branches = {run.pk: Branch(run, run.pk == here.pk) for run in runs}
    tops: list[Branch] = []
    for branch in branches.values():
        run = branch.run
        above = branches.get(run.parent_id) if run.parent_id else None
        if above is None and run.forked_from_id in branches:
            above, branch.is_fork = branches[run.forked_from_id], True
        (above.branches if above is not None else tops).append(branch)
    _flatten(tops, 1)
    return tops


def _flatten(branches: list[Branch], depth: int) -> None:
    for branch in branches:
        if depth < DEEPEST:
            _flatten(branch.branches, depth + 1)
        else:
            branch.branches = _all_below(branch)


def _all_below(branch: Branch) -> list[Branch]:
    found, left = [], list(branch.branches)
    while left:
        one = left.pop(0)
        found.append(one)
        left, one.branches = [*one.branches, *left], []
    return found
