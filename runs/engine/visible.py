"""Who sees what: people their own and their teams', a superuser all. Doors answer 404 for the rest.

A run stays its starter's. Schedules and presets that somebody left in a team are the team's alone: there they decide
what others start.
"""

from typing import Any, TypeVar

from django.db.models import Model, Q, QuerySet

from runs.engine.queues import QueueState, overview
from runs.models import Preset, Run, Schedule, UsageHour

M = TypeVar("M", bound=Model)


def visible_runs(user: Any) -> QuerySet[Run]:
    """The runs that `user` may see: their own, their teams', and all for a superuser. Doors answer 404 for others."""
    return _visible(Run.objects.all(), user, Q(owner=user.pk))


def visible_schedules(user: Any) -> QuerySet[Schedule]:
    """The schedules that `user` may see and change: their own without a team, their teams', and all for a superuser."""
    return _visible(Schedule.objects.all(), user, Q(owner=user.pk, team=None))


def visible_presets(user: Any) -> QuerySet[Preset]:
    """The presets that `user` may see, start and change: as with schedules."""
    return _visible(Preset.objects.all(), user, Q(owner=user.pk, team=None))


def visible_usage(user: Any) -> QuerySet[UsageHour]:
    """What the runs that `user` may see have used, those that are deleted by now too."""
    return _visible(UsageHour.objects.all(), user, Q(owner=user.pk))


def _visible(rows: QuerySet[M], user: Any, own: Q) -> QuerySet[M]:
    if not user.is_authenticated or not user.is_active:
        return rows.none()
    if user.is_superuser:
        return rows
    return rows.filter(own | Q(team__in=user.groups.values("id")))


def queues(user: Any) -> list[QueueState]:
    """Every queue and what holds for it, with the numbers of runs that `user` may see."""
    return overview(visible_runs(user))


def may_change(user: Any, run: Run) -> bool:
    """Who sees a run may cancel, resume and delete it."""
    return visible_runs(user).filter(id=run.id).exists()
