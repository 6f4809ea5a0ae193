"""What a page may show to whom: a stranger's run, schedule or preset does not exist."""

from uuid import UUID

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.http import Http404, HttpRequest

from runs.jobs import Actor, visible_presets, visible_runs, visible_schedules
from runs.models import Preset, Run, Schedule


def get_run_or_404(user: AbstractBaseUser | AnonymousUser, run_id: UUID) -> Run:
    """The run, if `user` may see it. Raises Http404 alike for a missing run and for another team's."""
    run = visible_runs(user).select_related("owner", "team").filter(pk=run_id).first()
    if run is None:
        raise Http404("There is no such run. Check the address, or look in the list of runs.")
    return run


def get_schedule_or_404(user: AbstractBaseUser | AnonymousUser, schedule_id: UUID) -> Schedule:
    """The schedule, if `user` may see it. Raises Http404 alike for a missing one and for another team's."""
    found = visible_schedules(user).select_related("owner", "team").filter(pk=schedule_id).first()
    if found is None:
        raise Http404("There is no such schedule. Look in the list of schedules.")
    return found


def get_preset_or_404(user: AbstractBaseUser | AnonymousUser, preset_id: UUID | str, job: str | None = None) -> Preset:
    """The preset (of `job`), if `user` may see it.

    Raises Http404 alike for what is no id, a missing one, one of another job and another team's.
    """
    try:
        found = visible_presets(user).select_related("owner", "team").filter(pk=UUID(str(preset_id))).first()
    except ValueError:
        found = None
    if found is None or job not in (None, found.job):
        raise Http404("There is no such preset. Look for it on the start page of its job.")
    return found


def actor_of(request: HttpRequest) -> Actor:
    """Who is signed in, as the audit keeps it."""
    return Actor.of(request.user, address=request.META.get("REMOTE_ADDR", ""))
