"""What must hold of the files that runs save."""

from django.db.models import Exists, OuterRef

from runs.engine import files
from runs.maintenance.invariants.registry import Ids, Rows, among
from runs.models import Artifact, Step

_AT_ONCE = 200
"""Rows of one statement: a look with a limit of time ends between two of them."""


def artifact_of_no_step(ids: Ids) -> Rows:
    """Of a run whose steps are there: a result that nobody received may be called off, and its step is cancelled."""
    saver = Step.objects.filter(run=OuterRef("run"), name=OuterRef("step_name"))
    of_runs = Artifact.objects.filter(among(ids, "run_id"))
    return of_runs.filter(~Exists(saver)).order_by("id").values_list("run_id", "name", "version")


def artifact_without_file(ids: Ids) -> Rows:
    last = 0
    while rows := list(Artifact.objects.filter(among(ids, "run_id"), id__gt=last).order_by("id")[:_AT_ONCE]):
        last = rows[-1].pk
        missing = [row for row in rows if not files.storage().exists(row.path)]
        # of a run that was deleted since, the row is gone as well
        still = set(Artifact.objects.filter(id__in=[row.pk for row in missing]).values_list("id", flat=True))
        yield from ((row.run_id, row.name, row.version) for row in missing if row.pk in still)
