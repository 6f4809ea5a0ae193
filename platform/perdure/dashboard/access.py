"""Whose runs a page may show: a stranger's run does not exist."""

from uuid import UUID

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.http import Http404

from runs.jobs import visible_runs
from runs.models import Run


def get_run_or_404(user: AbstractBaseUser | AnonymousUser, run_id: UUID) -> Run:
    """The run, if `user` may see it. Raises Http404 alike for a missing run and for another team's."""
    run = visible_runs(user).select_related("owner", "team").filter(pk=run_id).first()
    if run is None:
        raise Http404("There is no such run. Check the address, or look in the list of runs.")
    return run
