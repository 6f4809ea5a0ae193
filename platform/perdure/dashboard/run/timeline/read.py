"""What the timeline shows of a run and of the runs below it, read in a few queries a level."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db.models import F, Window
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Coalesce, RowNumber

from perdure.dashboard.run.rows import status_text
from perdure.dashboard.run.timeline.arrange import MOVES, AttemptTimes, Rows, RunTimes, StepTimes
from perdure.dashboard.run.titles import title_of
from runs.jobs import visible_runs
from runs.models import Attempt, Event, Run, Step

CHILDREN_SHOWN, STEPS_OF_CHILD, LEVELS = 50, 50, 3
"""How many children of one run, steps of one child, and levels of children are shown."""
LONGEST_LOG = 5000
"""Of a child with more events only its beginning and its end are told."""
_CHILD = ("child", "start_child")
_STEP = ("run_id", "name", "kind", "status", "attempts", "started_at", "finished_at")


def read_rows(user: Any, run: Run) -> Rows:
    """The run with everything below it that `user` may see."""
    runs, links = _read_tree(user, run)
    steps = {run.pk: _steps_of([run.pk])[run.pk]} | _some_steps_of(one.pk for one in runs[1:])
    attempts = _attempts_of(one.pk for one in runs)
    moves = _moves_of(one.pk for one in runs if one.pk == run.pk or one.last_sequence <= LONGEST_LOG)
    counted = {one.pk: one for one in runs}

    def rows_of(one: Run) -> Rows:
        found = links.get(one.pk, {})
        children = {name: [rows_of(counted[child]) for child in ids if child in counted] for name, ids in found.items()}
        shown = steps.get(one.pk, [])
        more = 1 if one is not run and len(shown) > STEPS_OF_CHILD else 0
        return Rows(_times_of(one, moves.get(one.pk, ())), shown[: None if one is run else STEPS_OF_CHILD],
                    attempts.get(one.pk, ()), children, more)  # fmt: skip

    return rows_of(run)


def _read_tree(user: Any, run: Run) -> tuple[list[Run], dict[UUID, dict[str, list[UUID]]]]:
    """The runs, the first one first, and the children's ids by their parent's id and step."""
    visible, found = visible_runs(user), [run]
    links: dict[UUID, dict[str, list[UUID]]] = defaultdict(lambda: defaultdict(list))
    level = [run.pk]
    for _ in range(LEVELS):
        pairs = _children_of(level)
        runs = visible.filter(pk__in=[child for _, _, child in pairs]) if pairs else []
        below = {one.pk: one for one in runs}
        for parent, step, child in pairs:
            if child in below:
                links[parent][step].append(child)
        found.extend(below.values())
        level = list(below)
        if not level:
            break
    return found, links


def _children_of(runs: Sequence[UUID]) -> list[tuple[UUID, str, UUID]]:
    """(parent, its step, child): a step's row holds its child's id from its beginning, and in its failure."""
    known = Coalesce(KeyTextTransform("run", "output"), KeyTextTransform("run", "error"))
    steps = Step.objects.filter(run__in=runs, kind__in=_CHILD).annotate(child=known, nth=_number_in_run())
    rows = steps.filter(nth__lte=CHILDREN_SHOWN).order_by("id").values_list("run_id", "name", "child")
    return [(run, name, child) for run, name, found in rows if (child := _as_id(found)) is not None]


def _as_id(text: str | None) -> UUID | None:
    """None for what is no id: a fork may have been given another output for the step."""
    try:
        return UUID(text) if text else None
    except ValueError:
        return None


def _number_in_run() -> Window:
    return Window(RowNumber(), partition_by=[F("run_id")], order_by=[F("id")])


def _steps_of(runs: Iterable[UUID]) -> dict[UUID, list[StepTimes]]:
    return _by_run(Step.objects.filter(run__in=list(runs)).order_by("id").values_list(*_STEP))


def _some_steps_of(runs: Iterable[UUID]) -> dict[UUID, list[StepTimes]]:
    """The first of each run, and one more where there are more."""
    ids = list(runs)
    if not ids:
        return {}
    numbered = Step.objects.filter(run__in=ids).annotate(nth=_number_in_run())
    return _by_run(numbered.filter(nth__lte=STEPS_OF_CHILD + 1).order_by("id").values_list(*_STEP))


def _by_run(rows: Iterable[tuple[Any, ...]]) -> dict[UUID, list[StepTimes]]:
    found: dict[UUID, list[StepTimes]] = defaultdict(list)
    for run, name, kind, status, attempts, started, finished in rows:
        found[run].append(StepTimes(name, kind, status_text(status, kind), attempts, started, finished))
    return found


def _attempts_of(runs: Iterable[UUID]) -> Mapping[UUID, list[AttemptTimes]]:
    found: dict[UUID, list[AttemptTimes]] = defaultdict(list)
    fields = ("run_id", "step_name", "number", "outcome", "started_at", "ended_at")
    for run, *values in Attempt.objects.filter(run__in=list(runs)).order_by("id").values_list(*fields):
        found[run].append(AttemptTimes(*values))
    return found


def _moves_of(runs: Iterable[UUID]) -> Mapping[UUID, list[tuple[str, bool, Any]]]:
    found: dict[UUID, list[tuple[str, bool, Any]]] = defaultdict(list)
    rows = Event.objects.filter(run__in=list(runs), type__in=list(MOVES)).order_by("run_id", "sequence")
    asked = KeyTextTransform("actor", "data")
    for run, type_, actor, at in rows.annotate(actor=asked).values_list("run_id", "type", "actor", "created_at"):
        found[run].append((type_, actor is not None, at))
    return found


def _times_of(run: Run, moves: Sequence[tuple[str, bool, Any]]) -> RunTimes:
    return RunTimes(
        str(run.pk), title_of(run), run.status, run.created_at, run.started_at, run.finished_at, tuple(moves)
    )
