"""Runs that one may be compared with: those it was forked from or into, and others of its job."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Q

from perdure.dashboard.documents import KINDS, document_of
from runs.jobs import visible_runs
from runs.models import Run

MOST = 20
LOOKED_AT = 2_000
"""Runs of one job among which those of a flow or a pipeline are looked for: no index knows a run's document."""


@dataclass(frozen=True)
class Candidates:
    """Newest first, at most MOST of each; nothing that the reader may not see."""

    related: list[Run]
    same_job: list[Run]


def read_candidates(user: Any, run: Run) -> Candidates:
    visible = visible_runs(user).exclude(pk=run.pk).select_related("owner", "team").order_by("-id")
    kin = Q(forked_from=run)
    if run.forked_from_id:
        kin |= Q(pk=run.forked_from_id) | Q(forked_from=run.forked_from_id)
    related = list(visible.filter(kin)[:MOST])
    same = visible.filter(job=run.job).exclude(pk__in=[one.pk for one in related])
    if name := document_of(run.job, run.input):
        newest = same.values_list("id", f"input__{KINDS[run.job]}")[:LOOKED_AT]
        same = same.filter(pk__in=[pk for pk, of in newest if of == name][:MOST])
    return Candidates(related, list(same[:MOST]))


def read_id(text: str) -> UUID | None:
    """The id in what somebody pasted: an id, or the address of a run's page. None for anything else."""
    for part in reversed(text.strip().split("/")):
        try:
            return UUID(part)
        except ValueError:
            continue
    return None
